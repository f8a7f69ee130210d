"""The kernel's list of swapped pages: found, and every doubt about it."""

from __future__ import annotations

import struct

import pytest

from khib_tui.errors import CommandFailed
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB, PAGE
from khib_tui.pagefilter import kimage
from khib_tui.pagefilter.view import NOWHERE, Doubt, SystemView
from tests.kit.fakememory import Memory

RAM = Ranges.of([(0, 256 * MIB)])
REGION = Ranges.of([(16 * PAGE, 20 * PAGE), (16 * MIB, 16 * MIB + 600 * PAGE)])
ENTRY = 200 * MIB + 0x123
LISTS = 100 * MIB


def source_of(number: int) -> int:
    """Return the shadow page of the region's n-th page: downwards, so that no two are neighbours in the same order."""
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


@pytest.mark.parametrize("words", [[LISTS | 2], [16 * MIB | 1, LISTS | 2]], ids=["alone", "behind a destination"])
def test_a_page_that_leads_to_itself_without_a_source_is_no_list(words: list[int]) -> None:
    reads: list[int] = []

    class Counted(Memory):
        def read(self, start: int, count: int) -> bytes:
            reads.append(start)
            assert len(reads) < 100, "it goes round for ever"
            return super().read(start, count)

    memory = Counted()
    memory.put(ENTRY // PAGE * PAGE, struct.pack("<Q", LISTS | 2))
    memory.put(LISTS, struct.pack(f"<{len(words)}Q", *words))
    with pytest.raises(Doubt):
        kimage.shadows(memory, ENTRY, REGION, RAM)


@pytest.mark.parametrize("error", [OSError(14, "Bad address"), CommandFailed("denied"), ValueError("short"), OverflowError()])
def test_memory_that_cannot_be_read_is_a_doubt(error: Exception) -> None:
    class Denied(Memory):
        def read(self, start: int, count: int) -> bytes:
            raise error

    with pytest.raises(Doubt):
        kimage.shadows(Denied(), ENTRY, REGION, RAM)


def test_a_page_that_is_read_short_is_a_doubt() -> None:
    class Short(Memory):
        def read(self, start: int, count: int) -> bytes:
            return super().read(start, count)[:100]

    with pytest.raises(Doubt):
        kimage.shadows(Short(), ENTRY, REGION, RAM)


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
