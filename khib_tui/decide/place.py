"""Where a kernel fits into memory with holes, and which pieces of memory around it are worth having. Addresses are bytes."""

from __future__ import annotations

from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB

TOP = 1 << 32
"""Boot loaders put kernels below it, and the zero page's addresses end there."""
# Smaller pieces cost a segment and an entry of the memory map, and hold next to nothing.
_WORTH = MIB


def first_place(ranges: Ranges, count: int, lowest: int, alignment: int) -> int | None:
    """Return the lowest aligned address from `lowest` up with `count` bytes of `ranges` in one piece; None without one.

    GRUB, and the kernel's own EFI stub where the firmware leaves that memory free, put a kernel there too.
    """
    unit = max(alignment, 1)
    for start, end in ranges.clip(lowest, TOP):
        place = -(-start // unit) * unit
        if place + count <= end:
            return place
    return None


def largest_place(ranges: Ranges, lowest: int, alignment: int) -> int:
    """Return the bytes of the largest piece that starts at an aligned address from `lowest` up; 0 without one."""
    unit = max(alignment, 1)
    return max((end - -(-start // unit) * unit for start, end in ranges.clip(lowest, TOP)), default=0)


def largest(ranges: Ranges, most: int) -> Ranges:
    """Return the `most` largest ranges."""
    return Ranges.of(sorted(ranges.spans, key=lambda span: span[0] - span[1])[: max(most, 0)])


def gather(ram: Ranges, kernel: Ranges, needed: int, *, most: int, block: int, step: int) -> Ranges | None:
    """Gather memory from the kernel's place upwards until there is enough.

    :param ram: what may be taken.
    :param kernel: where the kernel starts: one range of `ram`, kept whatever becomes of the rest.
    :param needed: bytes in all.
    :param most: pieces that the result may have; the largest are taken.
    :param block: bytes that must lie in one piece beside the kernel.
    :param step: the memory looked at grows to multiples of this.
    :returns: None if there is no such memory below 4 GiB.
    """
    (base, end), *_ = kernel
    last = min(ram.end, TOP)
    while True:
        seen = ram.clip(base, end)
        first = Ranges.of(seen.overlapping(*kernel.spans[0]))
        others = Ranges.of(span for span in seen - first if span[1] - span[0] >= _WORTH)
        found = first | largest(others, most - 1)
        room = max((stop - start for start, stop in found - kernel), default=0)
        if found.total >= needed and room >= block:
            return found
        if end >= last:
            return None
        end = (end // step + 1) * step
