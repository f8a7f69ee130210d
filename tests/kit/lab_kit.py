"""What the tests of the QEMU machine share."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from khib_tui.events.types import Event, Progress
from khib_tui.image import header as headers
from khib_tui.lab import disks, vm
from khib_tui.lab.cycle import Session
from khib_tui.lab.setup import prepare
from khib_tui.runner import run
from tests.kit import ROOT

MEMORY = 768
PATIENCE = 120.0


def options(**changes: object) -> Namespace:
    given = {
        "memory": MEMORY, "cpus": 2, "firmware": "bios", "linux_source": None, "keep": None, "json": True, "codec": None,
        "cycles": 1, "fill": 60, "rehearse": False, "deep": False, "sealed": False, "memmap": "exact",
        "cancelled": False,
    }  # fmt: skip
    return Namespace(**(given | changes))


def print_event(event: Event) -> None:
    """Show what happens in pytest's captured output."""
    if not isinstance(event, Progress):
        print(event)


def linux_source(version: str) -> Path | None:
    """Return the source of a kernel that is not the distribution's own, fetched once."""
    if version == "6.1":
        return None
    return Path(run([ROOT / "scripts" / "linux-source", version], timeout=1800).stdout.strip())


@contextmanager
def started(directory: Path, *, fill: int) -> Iterator[Session]:
    """Give an uptime of A with so many percent of its memory filled, for the time of a `with`."""
    lab = prepare(options(), directory, print_event)
    session = Session(lab, print_event)
    try:
        session.boot_a()
        session.ask("fill", percent=fill, shadow=lab.shadow)
        session.ask("remember", deep=False)
        yield session
    finally:
        session.end()


class Console:
    """What C's console shows, from a moment on."""

    def __init__(self, session: Session) -> None:
        self.session, self.path = session, session.lab.directory / "console.log"
        self.seen = 0

    def wait(self, text: bytes) -> None:
        """Wait until it shows a text; what came before is not looked at again.

        :raises LabError: it never does.
        """
        began, looked, slow = time.monotonic(), 0, True
        while (waited := time.monotonic() - began) < PATIENCE * (vm.BUSY if slow else 1):
            if waited > vm.NUDGE * (looked + 1):
                slow = not self.session.running.nudge(looked > 0)
                looked += 1
            at = self.path.read_bytes().find(text, self.seen)
            if at >= 0:
                self.seen = at + len(text)
                time.sleep(1)
                return
            time.sleep(0.2)
        raise self.session.lost(f"the console never showed {text.decode()}")

    def answer(self, text: bytes, keys: bytes) -> None:
        """Press keys as soon as it shows a text."""
        self.wait(text)
        self.session.running.type(keys)


def state_on(disk: Path, partition: int = 0) -> headers.State:
    """Return what the newest header on a disk says."""
    return header_on(disk, partition).state


def header_on(disk: Path, partition: int = 0) -> headers.Header:
    """Return the newest header on a disk."""
    start = disks.partitions(disk)[partition].start
    with disk.open("rb") as stream:
        found = []
        for offset in headers.SLOTS:
            stream.seek(start + offset)
            found.append(headers.unpack(stream.read(4096)))
    return max((slot for slot in found if slot), key=lambda header: header.generation)
