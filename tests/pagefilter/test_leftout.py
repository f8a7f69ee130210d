"""Pages that are in use are never left out, and whatever is odd in A's kernel is a doubt."""

from __future__ import annotations

import random
import struct

import pytest

from khib_tui.errors import CommandFailed
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB, PAGE
from khib_tui.pagefilter import leftout
from khib_tui.pagefilter.view import Doubt, Shadows, Swapped
from tests.kit import exported, saved
from tests.kit.mutate import EDGES


def test_pages_known_to_be_in_use_are_never_called_free() -> None:
    shadows = Shadows((Swapped(16 * MIB, 64 * MIB, PAGE),))
    with pytest.raises(Doubt, match="region"):
        leftout.refuse_used(Ranges.of([(63 * MIB, 65 * MIB)]), shadows, ())
    with pytest.raises(Doubt, match="in use"):
        leftout.refuse_used(Ranges.of([(63 * MIB, 64 * MIB)]), shadows, (63 * MIB + 8,))
    leftout.refuse_used(Ranges.of([(63 * MIB, 64 * MIB)]), shadows, (65 * MIB,))


SECTIONS, ROOT, PAGES = 4 * MIB + 0x4000, 10 * MIB, 11 * MIB
EXTRA = f"""SYMBOL(mem_section)={exported.KERNEL_MAP + SECTIONS:x}
NUMBER(SECTION_SIZE_BITS)=27
LENGTH(mem_section)=4
SIZE(mem_section)=16
OFFSET(mem_section.section_mem_map)=0
LENGTH(zone.free_area)=11
NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129
NUMBER(PG_slab)=9
"""


class Denying:
    """A small physical memory; what lies beyond its end is denied, as by /dev/mem."""

    def __init__(self) -> None:
        self.data = bytearray(saved.SIZE)
        exported.kernel(self.data)
        struct.pack_into("<Q", self.data, SECTIONS, exported.DIRECT_MAP + ROOT)
        struct.pack_into("<Q", self.data, ROOT, (exported.DIRECT_MAP + PAGES) | 2)
        struct.pack_into("<I", self.data, PAGES + 3072 * 64 + 48, 0xFFFFFF7F)  # one free block: the page at 12 MiB

    def read(self, start: int, count: int) -> bytes:
        """Read, or refuse."""
        if start < 0 or start + count > len(self.data):
            raise CommandFailed(f"memory at {start:#x} is denied", ident="HIB-E-DEVMEM")
        return bytes(self.data[start : start + count])


def search(memory: Denying, text: str, monkeypatch: pytest.MonkeyPatch) -> Ranges:
    """Find the free pages of a machine without a region."""
    monkeypatch.setattr("khib_tui.pagefilter.kimage.shadows", lambda *_: Shadows(()))
    given = saved.handover(release="6.1.0", saved=saved.RAM.spans)
    return leftout.left_out(memory, given, 9 * MIB, page_offset=exported.DIRECT_MAP, description=text, used=())


def test_a_free_page_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert search(Denying(), exported.VMCOREINFO + EXTRA, monkeypatch) == Ranges.of([(12 * MIB, 12 * MIB + PAGE)])


def odd(noise: random.Random) -> str:
    """Change one to three of the things that the kernel says of itself."""
    lines = [line.partition("=") for line in (exported.VMCOREINFO + EXTRA).splitlines()]
    for _ in range(noise.choice((1, 2, 3))):
        number = noise.randrange(1, len(lines))
        edge = noise.choice(EDGES)
        value = noise.choice((str(edge), f"{edge:x}", str(noise.randrange(512)), "-1", "9" * 5000, "x"))
        lines[number] = (lines[number][0], "=", value)
    return "\n".join("".join(line) for line in lines)


def test_whatever_the_kernel_says_of_itself_is_followed_or_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    noise, memory = random.Random(4), Denying()
    doubts = 0
    for _ in range(300):
        try:
            search(memory, odd(noise), monkeypatch)
        except Doubt:
            doubts += 1
    assert 0 < doubts < 300


def test_whatever_the_kernels_tables_hold_is_followed_or_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = random.Random(5)
    doubts = 0
    for _ in range(100):
        memory = Denying()
        for _ in range(3):
            at = noise.choice((exported.TABLES, SECTIONS, ROOT, PAGES + 3072 * 64)) + 8 * noise.randrange(64)
            struct.pack_into("<Q", memory.data, at, noise.choice((noise.choice(EDGES), noise.getrandbits(64))))
        try:
            search(memory, exported.VMCOREINFO + EXTRA, monkeypatch)
        except Doubt:
            doubts += 1
    assert 0 < doubts < 100
