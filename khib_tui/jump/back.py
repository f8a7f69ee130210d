"""The jump back to A: from B to cancel or after a rehearsal, from C to resume."""

from __future__ import annotations

from collections.abc import Sequence

from khib_tui.errors import Refused
from khib_tui.i18n import _
from khib_tui.jump import stubs
from khib_tui.linux.devmem import PhysicalMemory
from khib_tui.linux.syscalls import REBOOT_KEXEC, KexecSegment, kexec_load, reboot
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import PAGE


def entry_page(entry: int) -> int:
    """Return the page that A's jump back entry lies in."""
    return entry // PAGE * PAGE


def refuse_bad_entry(entry: int, saved: Ranges) -> None:
    """Refuse an entry that cannot be A's: it must lie in A's RAM outside the region.

    :raises Refused: the value is garbage, as after an ordinary kexec.
    """
    page = entry_page(entry)
    if not entry or not saved.covers(Ranges.of([(page, page + PAGE)])):
        raise Refused(
            _("the jump back entry {entry:#x} lies outside the saved memory").format(entry=entry), ident="HIB-E-ENTRY"
        )


def stub_page(region: Sequence[tuple[int, int]]) -> int:
    """Choose the page for the stub: in the middle of the largest range of the region."""
    start, end = max(region, key=lambda span: span[1] - span[0])
    return (start + end) // 2 // PAGE * PAGE


def load_back(memory: PhysicalMemory, *, entry: int, gdt: int, stub_page: int) -> None:
    """Load the jump back, as plain kexec: no KEXEC_JUMP is needed in B or C.

    The second segment is the page at the entry with its own content, which puts it into the identity mapping.

    :param gdt: virtual address of A's GDT.
    :param stub_page: a page of this kernel's own RAM inside the region.
    """
    page = entry_page(entry)
    segments = (
        KexecSegment("stub", stub_page, stub_page + PAGE, stubs.back_to_a(entry, gdt)),
        KexecSegment("entry", page, page + PAGE, memory.read(page, PAGE)),
    )
    kexec_load(stub_page, sorted(segments, key=lambda segment: segment.start), preserve_context=False)


def jump() -> None:
    """Go. Returns only if the kernel refuses, by raising CommandFailed."""
    reboot(REBOOT_KEXEC)
