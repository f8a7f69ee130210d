"""What the tests of the QEMU machine share."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from khib_tui.events.types import Event, Progress
from khib_tui.runner import run
from tests.kit import ROOT

MEMORY = 768


def options(**changes: object) -> Namespace:
    given = {
        "memory": MEMORY, "cpus": 2, "firmware": "bios", "linux_source": None, "keep": None, "json": True, "codec": None,
        "cycles": 1, "fill": 60, "rehearse": False, "deep": False, "sealed": False, "memmap": "exact",
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
