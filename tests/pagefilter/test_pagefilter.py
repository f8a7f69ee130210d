"""The page filter on memories made by hand: what it finds, and every doubt that makes it save all pages."""

from __future__ import annotations

import struct

import msgspec
import pytest

from khib_tui.decide.freepages import policy
from khib_tui.handover.handover import FreePages
from khib_tui.model import machine
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB, PAGE
from khib_tui.pagefilter import buddy, kimage, leftout, vmcoreinfo
from khib_tui.pagefilter.pagetable import KERNEL_MAP, AddressSpace, kernel_space
from khib_tui.pagefilter.view import NOWHERE, Doubt, Shadows, Swapped, SystemView
from tests.kit import MACHINES

RAM = Ranges.of([(0, 256 * MIB)])
REGION = Ranges.of([(16 * PAGE, 20 * PAGE), (16 * MIB, 16 * MIB + 600 * PAGE)])
ENTRY = 200 * MIB + 0x123
LISTS = 100 * MIB


class Memory(dict[int, bytes]):
    """Physical memory: page address to content, zero where nothing was put."""

    def read(self, start: int, count: int) -> bytes:
        parts, at = [], start
        while at < start + count:
            page, inner = at // PAGE * PAGE, at % PAGE
            take = min(PAGE - inner, start + count - at)
            parts.append(self.get(page, bytes(PAGE))[inner : inner + take])
            at += take
        return b"".join(parts)

    def put(self, start: int, data: bytes) -> None:
        for at in range(0, len(data), PAGE):
            base, inner = (start + at) // PAGE * PAGE, (start + at) % PAGE
            part = data[at : at + PAGE]
            page = bytearray(self.get(base, bytes(PAGE)))
            assert inner + len(part) <= PAGE
            page[inner : inner + len(part)] = part
            self[base] = bytes(page)


def source_of(number: int) -> int:
    """Give the shadow page of the region's n-th page: downwards, so that no two are neighbours in the same order."""
    return 90 * MIB - number * PAGE


def image_list(memory: Memory, region: Ranges = REGION, at: int = 0x830, entry: int = ENTRY) -> None:
    """Write a kimage list as kernel/kexec_core.c does: 511 entries a page, the last one leads on."""
    words: list[int] = []
    pages = [page for start, end in region for page in range(start, end, PAGE)]
    for number, page in enumerate(pages):
        if not number or pages[number - 1] + PAGE != page:
            words.append(page | 1)
        words.append(source_of(number) | 8)
    words.append(4)
    chunks = [words[first : first + 511] for first in range(0, len(words), 511)]
    for number, chunk in enumerate(chunks):
        link = [LISTS + (number + 1) * PAGE | 2] if number + 1 < len(chunks) else []
        memory.put(LISTS + number * PAGE, struct.pack(f"<{len(chunk) + len(link)}Q", *chunk, *link))
    memory.put(entry // PAGE * PAGE + at, struct.pack("<Q", LISTS | 2))


@pytest.mark.parametrize("place", [0x830, 0x28, 0xFF8])
def test_the_list_is_found_wherever_the_control_page_has_it(place: int) -> None:
    memory = Memory()
    image_list(memory, at=place)
    found = kimage.shadows(memory, ENTRY, REGION, RAM)
    assert found.region == REGION
    assert found.piece(16 * PAGE + 5)[0] == source_of(0) + 5
    assert found.piece(16 * MIB + 599 * PAGE)[0] == source_of(603)
    assert found.sources.total == REGION.total
    assert found.piece(40 * MIB)[0] == 40 * MIB


def test_decoys_in_the_control_page_are_not_taken() -> None:
    memory = Memory()
    image_list(memory)
    memory.put(ENTRY // PAGE * PAGE, struct.pack("<3Q", 50 * MIB | 2, 16 * MIB | 2, 300 * MIB | 2))
    memory.put(50 * MIB, struct.pack("<4Q", 0x10000 | 1, 60 * MIB | 8, 60 * MIB | 8, 4))
    assert kimage.shadows(memory, ENTRY, REGION, RAM).region == REGION


def change_source(memory: Memory, number: int, source: int) -> None:
    """Let an entry of the list's first page say something else; entry 0 and 5 are destinations."""
    memory.put(LISTS + number * 8, struct.pack("<Q", source | 8))


@pytest.mark.parametrize("source", [source_of(1), 300 * MIB, 16 * MIB + 3 * PAGE])
def test_a_list_with_an_impossible_source_is_doubted(source: int) -> None:
    memory = Memory()
    image_list(memory)
    change_source(memory, 1, source)
    with pytest.raises(Doubt, match="not found"):
        kimage.shadows(memory, ENTRY, REGION, RAM)


def test_a_list_of_another_region_is_doubted() -> None:
    memory = Memory()
    image_list(memory, REGION - Ranges.of([(16 * MIB, 16 * MIB + PAGE)]))
    with pytest.raises(Doubt):
        kimage.shadows(memory, ENTRY, REGION, RAM)
    with pytest.raises(Doubt):
        kimage.shadows(Memory(), ENTRY, REGION, RAM)


def test_a_list_that_runs_in_a_circle_ends() -> None:
    memory = Memory()
    memory.put(ENTRY // PAGE * PAGE, struct.pack("<Q", LISTS | 2))
    memory.put(LISTS, struct.pack("<2Q", 16 * MIB | 1, source_of(0) | 8) + struct.pack("<Q", LISTS | 2))
    with pytest.raises(Doubt):
        kimage.shadows(memory, ENTRY, REGION, RAM)


def test_pages_loaded_in_place_held_nothing() -> None:
    memory = Memory()
    image_list(memory)
    change_source(memory, 1, 16 * PAGE)
    found = kimage.shadows(memory, ENTRY, REGION, RAM)
    assert found.piece(16 * PAGE) == (NOWHERE, 17 * PAGE)
    memory.put(16 * PAGE, b"of B")
    memory.put(source_of(1), b"of A")
    view = SystemView(memory, found)
    assert view.read(16 * PAGE, 4) == bytes(4)
    assert view.read(17 * PAGE - 2, 6) == b"\0\0of A"
    assert found.move(Ranges.of([(16 * PAGE, 18 * PAGE)])) == Ranges.of([(source_of(1), source_of(1) + PAGE)])


def test_moving_keeps_what_was_not_swapped() -> None:
    shadows = Shadows((Swapped(4 * PAGE, 40 * PAGE, 2 * PAGE),))
    moved = shadows.move(Ranges.of([(3 * PAGE, 5 * PAGE), (50 * PAGE, 51 * PAGE)]))
    assert moved == Ranges.of([(3 * PAGE, 4 * PAGE), (40 * PAGE, 41 * PAGE), (50 * PAGE, 51 * PAGE)])


LAYOUT = buddy.PageLayout(64, 0, 52, 48, 40, 8, struct.pack("<i", -129), 11, 9)


def page(mark: int = -1, order: int = 0, count: int = 0, head: int = 0, flags: int = 0) -> bytes:
    return struct.pack("<QQ24xQiI8x", flags, head, order, mark, count)


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
DIRECT = 0xFFFF888000000000
VMEMMAP = 0xFFFFEA0000000000
ROOT = 32 * MIB + 0x1000


def kernel() -> Memory:
    """Make a kernel of 256 MiB with two sections: page tables, section table, struct pages at 80 MiB."""
    memory = Memory()
    memory.put(ROOT + 8 * (DIRECT >> 39 & 511), struct.pack("<Q", 34 * MIB | 3))
    memory.put(34 * MIB + 8 * (DIRECT >> 30 & 511), struct.pack("<Q", 0x83))
    memory.put(ROOT + 8 * (VMEMMAP >> 39 & 511), struct.pack("<Q", 35 * MIB | 3))
    memory.put(35 * MIB, struct.pack("<Q", 36 * MIB | 3))
    memory.put(36 * MIB, struct.pack("<2Q", 80 * MIB | 0x83, 37 * MIB | 3))
    memory.put(37 * MIB, struct.pack("<512Q", *(82 * MIB + number * PAGE | 3 for number in range(512))))
    memory.put(0x5000, struct.pack("<Q", DIRECT + 0x6000))
    memory.put(0x6000, struct.pack("<QQQQ", VMEMMAP | 0xF, 0, VMEMMAP | 0xF, 0))
    busy = page(count=1) * 64
    for at in range(80 * MIB, 84 * MIB, PAGE):
        memory[at] = busy
    return memory


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


def test_an_unmapped_address_is_doubted() -> None:
    space = AddressSpace(kernel(), ROOT, 0, DIRECT, 4)
    with pytest.raises(Doubt, match="not mapped"):
        space.read(0xFFFFA00000000000, 8)


def test_pages_known_to_be_in_use_are_never_called_free() -> None:
    shadows = Shadows((Swapped(16 * MIB, 64 * MIB, PAGE),))
    with pytest.raises(Doubt, match="region"):
        leftout.refuse_used(Ranges.of([(63 * MIB, 65 * MIB)]), shadows, ())
    with pytest.raises(Doubt, match="in use"):
        leftout.refuse_used(Ranges.of([(63 * MIB, 64 * MIB)]), shadows, (63 * MIB + 8,))
    leftout.refuse_used(Ranges.of([(63 * MIB, 64 * MIB)]), shadows, (65 * MIB,))


def test_what_may_be_done_with_free_pages() -> None:
    plain = msgspec.structs.replace(
        machine.load(MACHINES / "qemu-bios-1g.json"),
        config={"KEXEC": "y"},
        init_on_free=False,
        page_poison=False,
    )
    assert policy(plain) is FreePages.LEAVE_OUT
    assert policy(msgspec.structs.replace(plain, init_on_free=True)) is FreePages.ZERO
    assert policy(msgspec.structs.replace(plain, config={})) is FreePages.ZERO
    assert policy(msgspec.structs.replace(plain, page_poison=True, init_on_free=True)) is FreePages.SAVE
