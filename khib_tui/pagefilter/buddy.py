"""Free pages of A: the heads of the buddy allocator's blocks in the array of struct page (mm/page_alloc.c).

A page is only called free if all of its marks say so. Its mark is set after it was freed and cleared before it is given
out, so whatever A was doing when it jumped, a page that is in use never has it. Pages on per-CPU lists have no mark and
are kept. makedumpfile -d 16 finds the same pages.
"""

from __future__ import annotations

import struct
from array import array
from collections import Counter
from collections.abc import Iterator
from operator import sub

from msgspec import Struct

from khib_tui.i18n import _
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import PAGE
from khib_tui.pagefilter.pagetable import AddressSpace
from khib_tui.pagefilter.view import Doubt
from khib_tui.pagefilter.vmcoreinfo import VmcoreInfo

_MAP_FLAGS = PAGE - 1  # enum in include/linux/mmzone.h: SECTION_MAP_LAST_BIT is far below
_HAS_MEM_MAP = 1 << 1
_MAX_SECTIONS = 1 << 20
_MAX_BITS = 30  # x86-64 has 27: the struct pages of one section are read at once
# More free spans than these are not told apart: each takes some 120 bytes and is copied a few times.
MAX_SPANS = 1 << 15


class PageLayout(Struct, frozen=True):
    """struct page: its size and the offsets of its members in bytes, and the values of the marks."""

    size: int
    flags: int
    count: int
    mapcount: int
    private: int
    head: int
    buddy: bytes
    orders: int
    slab_bit: int | None

    @classmethod
    def of(cls, info: VmcoreInfo) -> PageLayout:
        """Take the layout from the kernel's own words.

        :raises Doubt: it does not tell, or tells what cannot be.
        """
        buddy = info.number("PAGE_BUDDY_MAPCOUNT_VALUE") & 0xFFFFFFFF
        head = "page.compound_head" if "OFFSET(page.compound_head)" in info.lines else "page.lru"
        count = "page._refcount" if "OFFSET(page._refcount)" in info.lines else "page._count"
        made = cls(
            info.size("page"), info.offset("page.flags"), info.offset(count), info.offset("page._mapcount"),
            info.offset("page.private"), info.offset(head), struct.pack("<I", buddy), info.length("zone.free_area"),
            info.optional("PG_slab"),
        )  # fmt: skip
        widths = [(made.flags, 8), (made.count, 4), (made.mapcount, 4), (made.private, 8), (made.head, 8)]
        if made.size % 8 or not 32 <= made.size <= 512 or any(at % width or at + width > made.size for at, width in widths):
            raise Doubt(_("the kernel's struct page has an impossible layout"))
        if buddy in (0, 0xFFFFFFFF) or not 0 < made.orders <= 32:
            raise Doubt(_("the kernel's mark of free pages has an impossible value"))
        return made


class Sections(Struct, frozen=True):
    """The sparse memory model: where the struct pages of each section are.

    :param maps: (number of the section, virtual address of the struct page of its first page).
    :param pages: pages a section.
    """

    maps: tuple[tuple[int, int], ...]
    pages: int


def sections(space: AddressSpace, info: VmcoreInfo, page_size: int) -> Sections:
    """Read the table of sections.

    :raises Doubt: this kernel has another memory model, or the table cannot be.
    """
    record, offset = info.size("mem_section"), info.offset("mem_section.section_mem_map")
    roots = info.length("mem_section")
    bits = info.number("SECTION_SIZE_BITS")
    if not 8 <= record <= 256 or PAGE % record or not 24 <= bits <= _MAX_BITS or not 0 < roots <= _MAX_SECTIONS:
        raise Doubt(_("the kernel's table of memory sections has an impossible layout"))
    per_root, pages = PAGE // record, (1 << bits) // PAGE
    maps: list[tuple[int, int]] = []
    for index, root in enumerate(space.words(info.symbol("mem_section"), roots)):
        if not root:
            continue
        data = space.read(root, PAGE)
        for inner in range(per_root):
            (word,) = struct.unpack_from("<Q", data, inner * record + offset)
            if word & _HAS_MEM_MAP:
                number = index * per_root + inner
                if len(maps) == _MAX_SECTIONS:
                    raise Doubt(_("the kernel's table of memory sections has no end"))
                maps.append((number, (word & ~_MAP_FLAGS) + number * pages * page_size))
    return Sections(tuple(maps), pages)


def blocks(data: bytes, layout: PageLayout, first: int) -> Iterator[tuple[int, int]]:
    """Find the free blocks in an array of struct page.

    :param first: PFN of the first one.
    :returns: (PFN, number of pages) of each block, ascending.
    :raises Doubt: a block that cannot be.
    """
    words = memoryview(data).cast("I")
    marks = words[layout.mapcount // 4 :: layout.size // 4].tobytes()
    at = marks.find(layout.buddy)
    while at >= 0:
        if at % 4:
            at = marks.find(layout.buddy, at + 1)
            continue
        order = _order(data, at // 4 * layout.size, layout)
        pages = 1 << order if order is not None else 1
        if order is not None:
            if (first + at // 4) % pages:
                raise Doubt(
                    _("a free block of {pages} pages at PFN {first:#x} is not aligned").format(
                        pages=pages, first=first + at // 4
                    )
                )
            yield first + at // 4, pages
        at = marks.find(layout.buddy, at + 4 * pages)


def _order(data: bytes, base: int, layout: PageLayout) -> int | None:
    """Return the order of a page that bears the mark; None if anything else says that it is in use.

    :raises Doubt: the order cannot be.
    """
    (head,) = struct.unpack_from("<Q", data, base + layout.head)
    (count,) = struct.unpack_from("<I", data, base + layout.count)
    (flags,) = struct.unpack_from("<Q", data, base + layout.flags)
    if head & 1 or count or (layout.slab_bit is not None and flags >> layout.slab_bit & 1):
        return None
    (order,) = struct.unpack_from("<Q", data, base + layout.private)
    if order >= layout.orders:
        raise Doubt(_("a free block has the order {order}").format(order=order))
    return int(order)


def free_pages(space: AddressSpace, info: VmcoreInfo, ram: Ranges, limit: int = MAX_SPANS) -> Ranges:
    """Find the free memory of A, by A's physical addresses: all of it, or the `limit` longest spans.

    :raises Doubt: anything is not as it must be.
    """
    layout = PageLayout.of(info)
    table = sections(space, info, layout.size)
    found = Spans(ram, limit)
    for number, base in sorted(table.maps):
        first = number * table.pages
        if not any(ram.overlapping(first * PAGE, (first + table.pages) * PAGE)):
            continue
        for pfn, pages in blocks(space.read(base, table.pages * layout.size), layout, first):
            found.add(pfn * PAGE, (pfn + pages) * PAGE)
    return found.ranges()


class Spans:
    """Ascending spans in bounded memory: neighbours are merged, the shortest are dropped when there are too many.

    :param ram: what all of them must lie in.
    :param limit: so many are kept at least, if there are as many.
    """

    def __init__(self, ram: Ranges, limit: int) -> None:
        self.ram, self.limit = ram, limit
        self.low = self.high = 0
        self.starts, self.ends = array("Q"), array("Q")

    def add(self, start: int, end: int) -> None:
        """Add a span that lies behind all others.

        :raises Doubt: it does not, or it lies outside of the RAM.
        """
        if self.ends and start < self.ends[-1]:
            raise Doubt(_("free blocks overlap, or lie outside of the RAM"))
        if start < self.low or end > self.high:
            self.low, self.high = next(self.ram.overlapping(start, end), (0, 0))
            if start < self.low or end > self.high:
                raise Doubt(_("free blocks overlap, or lie outside of the RAM"))
        if self.ends and start == self.ends[-1]:
            self.ends[-1] = end
            return
        if len(self.starts) >= 2 * self.limit:
            self.drop()
        self.starts.append(start)
        self.ends.append(end)

    def drop(self) -> None:
        """Drop the shortest spans, until not more than `limit` are left."""
        lengths = array("Q", map(sub, self.ends, self.starts))
        room = Counter(lengths)
        kept, shortest = 0, 0
        for length in sorted(room, reverse=True):
            if kept + room[length] > self.limit:
                shortest = length
                break
            kept += room[length]
        spare = self.limit - kept
        starts, ends = array("Q"), array("Q")
        for start, end, length in zip(self.starts, self.ends, lengths, strict=True):
            spare -= length == shortest
            if length > shortest or (length == shortest and spare >= 0):
                starts.append(start)
                ends.append(end)
        self.starts, self.ends = starts, ends

    def ranges(self) -> Ranges:
        """Return them, `limit` at most."""
        if len(self.starts) > self.limit:
            self.drop()
        return Ranges(tuple(zip(self.starts, self.ends, strict=True)))
