"""A small hibernated machine for tests: its memory before and after the jump, saved into an image."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile
from elftools.elf.segments import NoteSegment

from khib_tui.cli import main
from khib_tui.errors import Exit
from khib_tui.image import header as headers
from khib_tui.image import manifest as manifests
from khib_tui.image.reader import Payload
from khib_tui.image.store import Store
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB, PAGE
from tests.kit.saved import RAM, REGION, content, empty, handover, save

ENTRY = 3 * MIB + 0x80
OWN = 6 * MIB
LISTS = 9 * MIB
SHADOW = 14 * MIB + 3 * PAGE
TABLES = 5 * MIB  # inside the region
UTSNAME = 4 * MIB + 0x2000
KERNEL_MAP, DIRECT_MAP = 0xFFFFFFFF80000000, 0xFFFF888000000000
VMCOREINFO = f"""OSRELEASE=6.1.0
PAGESIZE=4096
SYMBOL(init_uts_ns)={KERNEL_MAP + UTSNAME:x}
OFFSET(uts_namespace.name)=0
SYMBOL(mem_map)={KERNEL_MAP + UTSNAME + 0x800:x}
SYMBOL(swapper_pg_dir)={KERNEL_MAP + TABLES:x}
SYMBOL(init_top_pgt)={KERNEL_MAP + TABLES:x}
SYMBOL(_stext)={KERNEL_MAP + MIB:x}
NUMBER(phys_base)=0
NUMBER(pgtable_l5_enabled)=0
SIZE(page)=64
OFFSET(page.flags)=0
OFFSET(page._refcount)=52
OFFSET(page.mapping)=24
OFFSET(page.lru)=8
OFFSET(page._mapcount)=48
OFFSET(page.private)=40
OFFSET(page.compound_head)=8
NUMBER(sme_mask)=0
NUMBER(KERNEL_IMAGE_SIZE)=1073741824
KERNELOFFSET=0
CRASHTIME=1
"""


def kernel(memory: bytearray) -> None:
    """Put into a memory what tools look at first: the kernel's name and page tables of the direct and the kernel map."""
    names = ("Linux", "h", "6.1.0", "#1", "x86_64", "(none)")
    memory[UTSNAME : UTSNAME + 390] = b"".join(name.encode().ljust(65, b"\0") for name in names)
    struct.pack_into("<Q", memory, UTSNAME + 0x800, DIRECT_MAP + 10 * MIB)  # an array of struct page, all zero
    memory[TABLES : TABLES + 3 * PAGE] = bytes(3 * PAGE)
    for table, index, entry in (
        (0, DIRECT_MAP >> 39 & 511, TABLES + PAGE | 0x63), (0, 511, TABLES + 2 * PAGE | 0x63), (1, 0, 0xE3), (2, 510, 0xE3),
    ):  # fmt: skip
        struct.pack_into("<Q", memory, TABLES + table * PAGE + 8 * index, entry)


@dataclass
class Hibernated:
    """What A had, by A's addresses; what lies in memory after the jump; the image of it.

    `taken` is the bytes that each export took when it was written: on a tmpfs, holes that a tool maps and reads become pages.
    """

    before: bytearray
    after: bytearray
    image: Path
    sources: Ranges
    taken: dict[str, int] = field(default_factory=dict)

    @property
    def known(self) -> Ranges:
        """A's memory that an export must hold."""
        return RAM - self.sources - Ranges.of([(OWN, OWN + PAGE)])


def jump(before: bytearray) -> tuple[bytearray, Ranges]:
    """Do what the kernel does at the jump: swap each page of the region with another one, and keep a list of them."""
    after = bytearray(before)
    order = list(range(REGION.total // PAGE))
    random.Random(11).shuffle(order)
    words: list[int] = []
    for number, target in enumerate(target for start, end in REGION for target in range(start, end, PAGE)):
        source = SHADOW + order[number] * PAGE if number % 97 else SHADOW + 5 * MIB + number * PAGE
        source = OWN if target == OWN else source
        words += [target | 1, source | 8]
        if source != target:
            after[source : source + PAGE] = before[target : target + PAGE]
        after[target : target + PAGE] = b"\xbb" * PAGE
    pages = [words[at : at + 510] for at in range(0, len(words), 510)]
    for index, page in enumerate(pages):
        at = LISTS + index * 2 * PAGE
        last = [4] if index == len(pages) - 1 else [at + 2 * PAGE | 2]
        after[at : at + PAGE] = struct.pack("<512Q", *page, *last, *[0] * (511 - len(page)))
        before[at : at + PAGE] = after[at : at + PAGE]
    struct.pack_into("<Q", after, ENTRY + 0x80, LISTS | 2)
    struct.pack_into("<Q", before, ENTRY + 0x80, LISTS | 2)
    sources = Ranges.of((word & ~8, (word & ~8) + PAGE) for word in words[1::2] if word & ~8 != OWN)
    return after, sources


def hibernate(directory: Path, **changes: Any) -> Hibernated:
    """Fill a memory, jump, and save."""
    before = content()
    kernel(before)
    after, sources = jump(before)
    memory, target = directory / "memory", empty(directory / "image", 40 * MIB)
    memory.write_bytes(after)
    given = handover(release="6.1.0", gdt=0xFFFFFE0000001000, page_offset=DIRECT_MAP, vmcoreinfo=VMCOREINFO, **changes)
    save(memory, target, given, entry=ENTRY)
    return Hibernated(before, after, target, sources)


def note_segments(elf: ELFFile) -> list[NoteSegment]:
    """Return the segments of an ELF file that hold notes."""
    return [part for part in elf.iter_segments() if isinstance(part, NoteSegment)]


def export(made: Hibernated) -> Hibernated:
    """Export the image both ways, as `elf` and `kdump` beside it."""
    elf, dump = made.image.with_name("elf"), made.image.with_name("kdump")
    assert main(["image", "export", "--json", "--elf", str(elf), "--kdump", str(dump), str(made.image)]) == Exit.OK
    made.taken = {path.name: path.stat().st_blocks * 512 for path in (elf, dump)}
    return made


def expected(made: Hibernated) -> dict[int, bytes]:
    """The pages that an export must hold, by their addresses."""
    return {at: bytes(made.before[at : at + PAGE]) for start, end in made.known for at in range(start, end, PAGE)}


def memory_of(elf: ELFFile) -> dict[int, bytes]:
    """The pages that an export holds, by their addresses."""
    loads = [(load["p_paddr"], load.data()) for load in elf.iter_segments("PT_LOAD")]
    return {start + at: data[at : at + PAGE] for start, data in loads for at in range(0, len(data), PAGE)}


def payload(store: Store) -> Payload:
    """What an image holds."""
    header = headers.read(store)
    assert header
    manifest = manifests.read(store, header)
    return Payload(store, manifest, manifests.read_index(store, manifest))
