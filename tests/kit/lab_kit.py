"""What the tests of the QEMU machine share."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from khib_tui.events.types import Event, Progress
from khib_tui.lab.cycle import Session
from khib_tui.lab.setup import prepare
from khib_tui.runner import run
from tests.kit import ROOT

MEMORY = 768


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
