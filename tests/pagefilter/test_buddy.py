"""A's free pages, found in its own structures, and every doubt that makes khib save all pages."""

from __future__ import annotations

import struct
import tracemalloc

import pytest

from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB, PAGE
from khib_tui.pagefilter import buddy, vmcoreinfo
from khib_tui.pagefilter.pagetable import KERNEL_MAP, kernel_space
from khib_tui.pagefilter.view import Doubt
from tests.kit.fakememory import DIRECT, ROOT, Memory, kernel, page

RAM = Ranges.of([(0, 256 * MIB)])
LAYOUT = buddy.PageLayout(64, 0, 52, 48, 40, 8, struct.pack("<i", -129), 11, 9)


def array_of(free: dict[int, bytes], total: int = 64) -> bytes:
    return b"".join(free.get(number, page(count=1)) for number in range(total))


def test_free_blocks_are_found_by_their_heads() -> None:
    data = array_of({0: page(-129, 3), 8: page(-129, 0), 9: page(-1), 12: page(-129, 2), 63: page(-129, 0)})
    assert list(buddy.blocks(data, LAYOUT, 4096)) == [(4096, 8), (4104, 1), (4108, 4), (4159, 1)]


@pytest.mark.parametrize(
    "other", [page(-129, 1, count=1), page(-129, 1, head=0x1001), page(-129, 1, flags=1 << 9), page(0x7F), page(-128)]
)
def test_a_page_with_any_other_sign_of_use_is_kept(other: bytes) -> None:
    assert list(buddy.blocks(array_of({2: other, 4: page(-129, 0)}), LAYOUT, 0)) == [(4, 1)]


@pytest.mark.parametrize("wrong", [{4: page(-129, 11)}, {4: page(-129, 3)}, {4: page(-129, 1 << 40)}])
def test_a_block_that_cannot_be_is_doubted(wrong: dict[int, bytes]) -> None:
    with pytest.raises(Doubt):
        list(buddy.blocks(array_of(wrong), LAYOUT, 0))


TEXT = """OSRELEASE=6.1.1
SYMBOL(init_top_pgt)=ffffffff80001000
SYMBOL(mem_section)=ffff888000005000
NUMBER(phys_base)=33554432
NUMBER(pgtable_l5_enabled)=0
NUMBER(SECTION_SIZE_BITS)=27
LENGTH(mem_section)=4
SIZE(mem_section)=16
OFFSET(mem_section.section_mem_map)=0
SIZE(page)=64
OFFSET(page.flags)=0
OFFSET(page._refcount)=52
OFFSET(page._mapcount)=48
OFFSET(page.private)=40
OFFSET(page.compound_head)=8
LENGTH(zone.free_area)=11
NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129
NUMBER(PG_slab)=9
"""


def set_page(memory: Memory, pfn: int, data: bytes) -> None:
    memory.put(80 * MIB + pfn * 64, data)


def test_free_pages_are_found_through_page_tables_and_sections() -> None:
    memory = kernel()
    set_page(memory, 0x400, page(-129, 10))
    set_page(memory, 0x8003, page(-129, 0))
    set_page(memory, 0xFC00, page(-129, 10))
    info = vmcoreinfo.parse(TEXT)
    space = kernel_space(memory, info, DIRECT)
    assert space.physical(KERNEL_MAP + 0x1000)[0] == ROOT
    free = buddy.free_pages(space, info, RAM)
    assert free == Ranges.of([(0x400000, 0x800000), (0x8003000, 0x8004000), (0xFC00000, 0x10000000)])


def test_a_free_page_beyond_the_ram_is_doubted() -> None:
    memory = kernel()
    set_page(memory, 0xFC00, page(-129, 10))
    info = vmcoreinfo.parse(TEXT)
    with pytest.raises(Doubt, match="outside"):
        buddy.free_pages(kernel_space(memory, info, DIRECT), info, Ranges.of([(0, 255 * MIB)]))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SIZE(page)=64", "SIZE(page)=20"), ("SIZE(page)=64\n", ""), ("_mapcount)=48", "_mapcount)=50"),
        ("VALUE)=-129", "VALUE)=-1"), ("free_area)=11", "free_area)=400"), ("SIZE(mem_section)=16", "SIZE(mem_section)=17"),
        ("SECTION_SIZE_BITS)=27", "SECTION_SIZE_BITS)=99"), ("LENGTH(mem_section)=4", "LENGTH(mem_section)=x"),
        ("ffff888000005000", "ffffc00000005000"), ("phys_base)=33554432", "phys_base)=0"),
    ],
)  # fmt: skip
def test_every_impossible_layout_is_doubted(old: str, new: str) -> None:
    assert old in TEXT
    info = vmcoreinfo.parse(TEXT.replace(old, new))
    with pytest.raises(Doubt):
        buddy.free_pages(kernel_space(kernel(), info, DIRECT), info, RAM)


def kept(limit: int, *spans: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    found = buddy.Spans(RAM, limit)
    for start, end in spans:
        found.add(start, end)
    return found.ranges().spans


def test_neighbours_are_one_span_and_the_shortest_spans_are_dropped_beyond_a_limit() -> None:
    assert kept(2, (0, 2), (2, 4), (6, 7)) == ((0, 4), (6, 7))
    assert kept(2, (0, 2), (3, 4), (6, 9), (10, 11), (12, 13), (14, 24)) == ((6, 9), (14, 24))
    assert len(kept(3, *((at, at + 1) for at in range(0, 100, 2)))) == 3


@pytest.mark.parametrize("spans", [((4, 8), (6, 9)), ((4, 8), (0, 2)), ((0, 1), (256 * MIB - 1, 256 * MIB + 1))])
def test_spans_out_of_order_or_outside_are_doubted(spans: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(Doubt):
        kept(10, *spans)


@pytest.mark.parametrize(("count", "most"), [(200_000, 12 * MIB), pytest.param(1_000_000, 12 * MIB, marks=pytest.mark.long)])
def test_very_many_free_blocks_take_little_memory(count: int, most: int) -> None:
    ram = Ranges.of([(0, 2 * count * PAGE)])
    tracemalloc.start()
    try:
        found = buddy.Spans(ram, buddy.MAX_SPANS)
        for number in range(count):
            found.add(2 * number * PAGE, (2 * number + 1) * PAGE)
        free = found.ranges()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(free.spans) == buddy.MAX_SPANS and ram.covers(free)
    assert peak < most, f"{peak / MIB:.1f} MiB for {count} blocks"
