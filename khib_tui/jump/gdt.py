"""What A's kernel must tell about itself before the jump, read from /proc/kallsyms and /proc/kcore."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.segments import NoteSegment

from khib_tui.errors import Refused

_GDT_ENTRY_KERNEL_CS = 2


@dataclass(frozen=True)
class KernelFacts:
    """A's GDT of the boot CPU (virtual address), VMCOREINFO text and virtual address of physical page 0."""

    gdt: int
    vmcoreinfo: str
    page_offset: int


def symbols(names: set[str], path: Path = Path("/proc/kallsyms")) -> dict[str, int]:
    """Look up kernel symbols; those not found are left out, and so are hidden (zero) addresses."""
    found: dict[str, int] = {}
    with path.open() as lines:
        for line in lines:
            words = line.split(None, 3)
            if words[2] in names:
                found.setdefault(words[2], int(words[0], 16))
    return {name: address for name, address in found.items() if address or name == "gdt_page"}


def read_facts(kcore: Path = Path("/proc/kcore"), kallsyms: Path = Path("/proc/kallsyms")) -> KernelFacts:
    """Read what the way back needs.

    :raises Refused: the kernel hides it, or what is found there is no GDT.
    """
    known = symbols({"gdt_page", "__per_cpu_offset"}, kallsyms)
    if len(known) != 2:
        raise Refused(
            "the kernel does not tell where its GDT is", ident="HIB-E-KALLSYMS",
            hint="it needs CONFIG_KALLSYMS_ALL and root; kernel.kptr_restrict must not be 2",
        )  # fmt: skip
    try:
        with kcore.open("rb", buffering=0) as stream:
            return _from_kcore(ELFFile(stream), known)
    except OSError as error:
        hint = "the kernel needs CONFIG_PROC_KCORE"
        raise Refused(f"{kcore}: {error.strerror}", hint=hint, ident="HIB-E-KCORE") from error


def _from_kcore(elf: ELFFile, known: dict[str, int]) -> KernelFacts:
    offset = struct.unpack("<Q", _virtual(elf, known["__per_cpu_offset"], 8))[0]
    gdt = (known["gdt_page"] + offset) % (1 << 64)
    descriptor = struct.unpack("<Q", _virtual(elf, gdt + 8 * _GDT_ENTRY_KERNEL_CS, 8))[0]
    # A 64-bit code segment: present, code, long mode.
    if not (descriptor >> 47 & 1 and descriptor >> 43 & 1 and descriptor >> 53 & 1):
        raise Refused(f"there is no GDT at {gdt:#x}", hint="this kernel is not supported", ident="HIB-E-GDT")
    return KernelFacts(gdt, _vmcoreinfo(elf), _page_offset(elf))


def _virtual(elf: ELFFile, address: int, count: int) -> bytes:
    for segment in elf.iter_segments("PT_LOAD"):
        start = segment["p_vaddr"]
        if start <= address and address + count <= start + segment["p_memsz"]:
            elf.stream.seek(segment["p_offset"] + address - start)
            return bytes(elf.stream.read(count))
    raise Refused(f"/proc/kcore does not hold {address:#x}", ident="HIB-E-KCORE")


def _vmcoreinfo(elf: ELFFile) -> str:
    for segment in elf.iter_segments("PT_NOTE"):
        assert isinstance(segment, NoteSegment)
        for note in segment.iter_notes():
            if note["n_name"] == "VMCOREINFO":
                data = note["n_descdata"] if "n_descdata" in note else note["n_desc"]
                return data.decode("latin-1") if isinstance(data, bytes) else str(data)
    return ""


def _page_offset(elf: ELFFile) -> int:
    """The direct map: the PT_LOADs whose physical address is known and which are not the kernel's text."""
    for segment in elf.iter_segments("PT_LOAD"):
        physical, virtual = segment["p_paddr"], segment["p_vaddr"]
        if physical < 1 << 52 and virtual < 0xFFFFFFFF80000000:
            return int(virtual - physical)
    return 0
