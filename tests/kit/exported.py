"""A small hibernated machine for tests: its memory before and after the jump, saved into an image."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass
from pathlib import Path

import msgspec
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import NoteSegment

from khib_tui.events.progress import Stop
from khib_tui.handover.handover import Handover, Mode
from khib_tui.image.store import Store
from khib_tui.linux.devmem import PhysicalMemory
from khib_tui.model.choices import CodecChoice
from khib_tui.model.machine import Cpu, MemoryRange
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB, PAGE
from khib_tui.saver import save as saver

SIZE = 24 * MIB
RAM = Ranges.of([(PAGE, 0x9F000), (MIB, SIZE)])
REGION = Ranges.of([(PAGE, 0x9F000), (4 * MIB, 8 * MIB)])
CPU = Cpu("v", "m", 6, 1, 1, 2, False, True, "f" * 64)
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


def handover(**changes: object) -> Handover:
    """What A hands over."""
    made = Handover(
        mode=Mode.SAVE, image_id="ab" * 16, created=1.0, host="h", release="6.1.0", version="#1", cpu=CPU, uefi=False, dmi={},
        firmware_memmap=(MemoryRange(0, SIZE, "System RAM"),), ram=RAM.spans, region=REGION.spans, saved=(RAM - REGION).spans,
        mailbox=0, gdt=0xFFFFFE0000001000, report_page=MIB, cookie="00" * 32, page_offset=DIRECT_MAP,
        vmcoreinfo=VMCOREINFO, target=None, codec=CodecChoice.LZ4,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


@dataclass
class Hibernated:
    """What A had, by A's addresses; what lies in memory after the jump; the image of it."""

    before: bytearray
    after: bytearray
    image: Path
    sources: Ranges

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


def hibernate(directory: Path, **changes: object) -> Hibernated:
    """Fill a memory with noise, text and zeros, jump, and save."""
    noise = random.Random(7)
    before = bytearray(SIZE)
    for page in range(0, SIZE, PAGE):
        kind = noise.randrange(4)
        if kind == 0:
            before[page : page + PAGE] = noise.randbytes(PAGE)
        elif kind == 1:
            before[page : page + PAGE] = (b"khib %08d " % page * 300)[:PAGE]
    before[10 * MIB : 14 * MIB] = bytes(4 * MIB)
    kernel(before)
    after, sources = jump(before)
    memory, target = directory / "memory", directory / "image"
    memory.write_bytes(after)
    with target.open("wb") as stream:
        stream.truncate(40 * MIB)
    with Store(target, writable=True) as store:
        saver.save(handover(**changes), ENTRY, PhysicalMemory(memory), store, (), ("6.1", "#1"), lambda event: None, Stop())
    return Hibernated(before, after, target, sources)


def note_segments(elf: ELFFile) -> list[NoteSegment]:
    """Return the segments of an ELF file that hold notes."""
    return [part for part in elf.iter_segments() if isinstance(part, NoteSegment)]
