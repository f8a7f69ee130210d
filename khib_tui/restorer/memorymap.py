"""The firmware's memory map, then and now: what A's memory and its ACPI lie on must be the same.

ACPI tables slide by some pages between two starts of many machines: firmware gives them the room that its own modules leave.
A interprets them where they were, so an image cannot be restored over other ones, not even if its own pages all have RAM.
"""

from __future__ import annotations

from collections.abc import Iterable

from khib_tui.events.types import Finding, Severity
from khib_tui.i18n import N_, _
from khib_tui.model.machine import MemoryRange
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB, size

RAM = "System RAM"
OF_ACPI = ("ACPI Tables", "ACPI Non-volatile Storage")
# More than this is no drift of tables but other memory, or other settings.
DRIFT = 16 * MIB
AGAIN = N_(
    "it often moves back by itself: power off, connect the same dock, charger and disks as before, and "
    "try again; the image is kept"
)


def changes(then: Iterable[MemoryRange], now: Iterable[MemoryRange]) -> list[Finding]:
    """Return what forbids a resume; empty if RAM and ACPI lie where they lay. Reserved ranges may move."""
    before, after = list(then), list(now)
    ram, ram_now = _of(before, RAM), _of(after, RAM)
    gone, new = ram - ram_now, ram_now - ram
    if ram.total != ram_now.total and max(gone.total, new.total) > DRIFT:
        what = _("{size} of RAM when it was saved, {now} now").format(size=size(ram.total), now=size(ram_now.total))
        return [_refusal(what, _("put the former memory and firmware settings back, then try again; the image is kept"))]
    if gone or new:
        what = _("{size} of RAM is somewhere else this time").format(size=size(max(gone.total, new.total)))
        return [_refusal(_("the firmware has placed its tables elsewhere: {what}").format(what=what), _(AGAIN))]
    if any(_of(before, kind) != _of(after, kind) for kind in OF_ACPI):
        return [_refusal(_("the firmware has placed its ACPI tables elsewhere"), _(AGAIN))]
    return []


def _of(ranges: Iterable[MemoryRange], kind: str) -> Ranges:
    return Ranges.of((item.start, item.end) for item in ranges if item.type == kind)


def _refusal(what: str, fix: str) -> Finding:
    return Finding(
        "HIB-E-MEMMAP",
        Severity.BLOCKER,
        _("the memory map has changed: {what}").format(what=what),
        _("the saved system relies on it"),
        fix,
    )
