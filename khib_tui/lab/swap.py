"""The image in a swap that A lends for the time: set up with pages swapped out, looked at, and the plug pulled on the way."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

import msgspec

from khib_tui.events.types import Event
from khib_tui.facts.signatures import sniff
from khib_tui.image import header as headers
from khib_tui.image.header import State
from khib_tui.image.ranges import Ranged
from khib_tui.lab import disks, sealed
from khib_tui.lab.cycle import Session, asks_passphrase
from khib_tui.lab.disks import Partition
from khib_tui.lab.guest.swap import Look
from khib_tui.lab.hardware import Boot
from khib_tui.lab.places import PlaceLab
from khib_tui.lab.setup import TARGET
from khib_tui.model.units import PAGE
from khib_tui.target.swap import Area
from khib_tui.target.swapheader import SIGNATURE

PROGRAM = ("env", "PYTHONPATH=/opt/khib", "PATH=/usr/sbin:/usr/bin", "python3", "-m", "khib_tui.lab.guest.swap")
PATIENCE = 600
FOLDER = Path("/var/lib/khib-settings")


@dataclass
class Lender:
    """An uptime of A on a machine whose swap takes the image."""

    session: Session
    words: Sequence[str] = ()

    def make(self, kind: str, stack: str, spelled: str) -> None:
        """Make the swap, seal if it lies below encryption, and set up.

        :param spelled: the target.
        """
        session = self.session
        session.program(*PROGRAM, "make", kind, stack, TARGET, timeout=PATIENCE)
        if "LUKS" in stack:
            self.words = sealed.seal(session).options
        self.choose(spelled)
        self.set_up()

    def choose(self, spelled: str) -> None:
        """Let the settings name the swap; they are kept beside those that are there, with the seal."""
        session, folder = self.session, FOLDER
        lines = f"grep -v ^target {session.settings}; echo 'target = \"{spelled}\"'"
        copied = f"mkdir -p {folder} && find {Path(session.settings).parent} -maxdepth 1 -type f -exec cp {{}} {folder} \\;"
        session.program("sh", "-c", f"{copied}; ({lines}) >{folder}/new && mv {folder}/new {folder}/khib.toml")
        session.settings = f"{folder}/khib.toml"

    def set_up(self) -> None:
        """Set up, and note what of the disk the image and the signature may change."""
        session = self.session
        if session.run("setup", timeout=PATIENCE)[0]:
            raise session.lost(f"khib setup failed: {session.reason()}")
        area = msgspec.json.decode(self._ask("where"), type=Area)
        begin = disks.partitions(session.lab.disk_target)[0].start
        assert isinstance(session.lab, PlaceLab)
        session.lab.image[:] = [Partition(begin + start, end - start) for start, end in area.place.spans]

    def hold(self, count: int) -> Look:
        """Let a process have so many MiB, and push them out; gives what is swapped out."""
        self.session.program("sh", "-c", "pkill -f 'swap [h]old'; rm -f /run/khib-hold.*")
        self.session.program("sh", "-c", f"setsid {' '.join(PROGRAM)} hold {count} </dev/null >/dev/null 2>&1 &")
        self.session.program("sh", "-c", "until [ -e /run/khib-hold.answer ]; do sleep 0.2; done", timeout=PATIENCE)
        return self.look(digest=False)

    def out(self) -> Look:
        """Push the pages out once more."""
        self._ask("out")
        return self.look(digest=False)

    def look(self, *, digest: bool) -> Look:
        """Look at the swap, and at what is in it."""
        return msgspec.json.decode(self._ask("look", *(["digest"] if digest else [])), type=Look)

    def _ask(self, *words: str) -> str:
        return (self.session.program(*PROGRAM, *words, timeout=PATIENCE).strip().splitlines() or [""])[-1]

    def cut_hibernation(self, seconds: float) -> list[Event]:
        """Hibernate, and pull the plug after so many seconds; gives the events until then."""
        self.session.command("hibernate", *self.words)
        return self._cut(seconds)

    def cut_restore(self, boot: Boot, seconds: float) -> list[Event]:
        """Start the restorer, and pull the plug after so many seconds; gives the events until then."""
        self.session.boot(boot)
        return self._cut(seconds)

    def _cut(self, seconds: float) -> list[Event]:
        vm, seen = self.session.running, list[Event]()
        timer = Timer(seconds, vm.process.kill)
        timer.start()
        try:
            for event in vm.events():
                if asks_passphrase(event):
                    vm.type(f"{self.session.passphrase}\n".encode())
                if isinstance(event, dict) and "exit" in event:
                    break
                if isinstance(event, Event):
                    seen.append(event)
                    self.session.pass_on(event)
        finally:
            timer.cancel()
            vm.kill()
        return seen


@dataclass(frozen=True)
class OnDisk:
    """What a machine that is off has on its disk: the swap by its first page, and the state of an image; None without one."""

    fstype: str
    uuid: str
    state: State | None


def on_disk(lab: PlaceLab) -> OnDisk:
    """Look at the disk of a machine that is off; the swap is its first partition."""
    disk, start = lab.disk_target, disks.partitions(lab.disk_target)[0].start
    with disk.open("rb") as stream:
        stream.seek(start)
        page = stream.read(PAGE)
    found = sniff(lambda offset, count: page[offset : offset + count], PAGE)
    with Ranged(disk, tuple((item.start, item.start + item.size) for item in lab.image)) as store:
        header = headers.read_or_given_up(store)
    return OnDisk(found.fstype, found.uuid, header.state if header else None)


@contextmanager
def signed(lab: PlaceLab, signature: bytes) -> Iterator[None]:
    """Sign the swap of a machine that is off as somebody else may have done, for the time of a `with`."""
    place = disks.partitions(lab.disk_target)[0].start + SIGNATURE
    with lab.disk_target.open("r+b", buffering=0) as stream:
        before = os.pread(stream.fileno(), len(signature), place)
        os.pwrite(stream.fileno(), signature, place)
        try:
            yield
        finally:
            os.pwrite(stream.fileno(), before, place)
