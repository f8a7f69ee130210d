"""The pages of A that an image can do without."""

from __future__ import annotations

from collections.abc import Sequence

from khib_tui.i18n import _
from khib_tui.model.origin import Origin
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import PAGE
from khib_tui.pagefilter import buddy, kimage, vmcoreinfo
from khib_tui.pagefilter.pagetable import kernel_space
from khib_tui.pagefilter.view import Doubt, Reader, Shadows, SystemView, doubting


@doubting()
def left_out(memory: Reader, origin: Origin, entry: int, *, page_offset: int, description: str, used: Sequence[int]) -> Ranges:
    """Find the free memory of A, by the physical addresses where its content lies after the jump.

    :param memory: physical memory as B sees it.
    :param entry: the jump back entry (physical).
    :param page_offset: the virtual address of A's direct map.
    :param description: A's VMCOREINFO.
    :param used: physical addresses that are known to be in use.
    :raises Doubt: A's kernel is not as expected; nothing may be left out.
    """
    ram, region = Ranges.of(origin.ram), Ranges.of(origin.region)
    shadows = kimage.shadows(memory, entry, region, ram)
    info = vmcoreinfo.parse(description)
    if info.lines.get("OSRELEASE") != origin.release:
        raise Doubt(_("the kernel's description of itself is of another release"))
    space = kernel_space(SystemView(memory, shadows), info, page_offset)
    free = buddy.free_pages(space, info, ram)
    refuse_used(free, shadows, (entry, *used, space.root))
    moved = shadows.move(free)
    if not Ranges.of(origin.saved).covers(moved):
        raise Doubt(_("free pages lie outside of what is to be saved"))
    return moved


def refuse_used(free: Ranges, shadows: Shadows, used: Sequence[int]) -> None:
    """Refuse a set of free pages that has pages in it which are known to be in use.

    :raises Doubt: naming one.
    """
    for start, _end in free & shadows.sources:
        raise Doubt(_("the page at {start:#x} is called free, but holds a page of the region").format(start=start))
    for address in used:
        if any(free.overlapping(address, address + 1)):
            raise Doubt(_("the page at {address:#x} is called free, but is in use").format(address=address // PAGE * PAGE))
