"""What A's kernel must tell about itself before the jump, read from /proc/kallsyms and /proc/kcore."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from khib_tui.errors import ImageError, Refused
from khib_tui.formats import vmcore
from khib_tui.formats.vmcore import Segment
from khib_tui.i18n import _
from khib_tui.model.units import PAGE

_GDT_ENTRY_KERNEL_CS = 2
_KERNEL_TEXT = 0xFFFFFFFF80000000
_HIDDEN_MAY_BE_ZERO = "gdt_page"


class KernelFacts(Struct, frozen=True):
    """A's GDT of the boot CPU (virtual address), VMCOREINFO text and virtual address of physical page 0."""

    gdt: int
    vmcoreinfo: str
    page_offset: int


def symbols(names: set[str], path: Path = Path("/proc/kallsyms")) -> dict[str, int]:
    """Look up kernel symbols; those not found are left out, and so are hidden (zero) addresses."""
    table = b"\n" + path.read_bytes()
    found: dict[str, int] = {}
    for name in names:
        end = table.find(f" {name}\n".encode())
        if end >= 0:
            found[name] = int(table[table.rfind(b"\n", 0, end) + 1 : end].split()[0], 16)
    return {name: address for name, address in found.items() if address or name == _HIDDEN_MAY_BE_ZERO}


def read_facts(kcore: Path = Path("/proc/kcore"), kallsyms: Path = Path("/proc/kallsyms")) -> KernelFacts:
    """Read what the way back needs.

    :raises Refused: the kernel hides it, or what is found there is no GDT.
    """
    known = symbols({"gdt_page", "__per_cpu_offset"}, kallsyms)
    if len(known) != 2:
        raise Refused(
            _("the kernel does not tell where its GDT is"), ident="HIB-E-KALLSYMS",
            hint=_("it needs CONFIG_KALLSYMS_ALL and root; kernel.kptr_restrict must not be 2"),
        )  # fmt: skip
    try:
        with kcore.open("rb", buffering=0) as stream:
            return _from_kcore(Kcore(stream), known)
    except (OSError, ImageError) as error:
        hint = _("the kernel needs CONFIG_PROC_KCORE")
        text = error.strerror if isinstance(error, OSError) else error
        raise Refused(f"{kcore}: {text}", hint=hint, ident="HIB-E-KCORE") from error


class Kcore:
    """A's memory by virtual address: an ELF core whose physical addresses may be unknown.

    :raises ImageError: it is none.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        end = vmcore.headers_end(self._at(0, PAGE))
        head = self._at(0, end)
        self.segments = list(vmcore.segments(head)) if len(head) >= end else []

    def _at(self, offset: int, count: int) -> bytes:
        self.stream.seek(offset)
        return self.stream.read(count)

    def read(self, virtual: int, count: int) -> bytes:
        """Read bytes at a virtual address.

        :raises Refused: they are not there.
        """
        for part in self.segments:
            if not part.note and part.virtual <= virtual and virtual + count <= part.virtual + part.memsz:
                data = self._at(part.offset + virtual - part.virtual, count)
                if len(data) == count:
                    return data
        raise Refused(_("/proc/kcore does not hold {virtual:#x}").format(virtual=virtual), ident="HIB-E-KCORE")

    def vmcoreinfo(self) -> str:
        """Return the text of the note, empty if there is none."""
        for part in self.segments:
            if part.note:
                for (name, _), text in vmcore.notes(self._at(part.offset, part.filesz)):
                    if name == "VMCOREINFO":
                        return text.decode("latin-1")
        return ""

    def page_offset(self) -> int:
        """Return the virtual address of physical address 0, 0 if unknown: of the first run of the direct map."""
        return next((part.virtual - part.physical for part in self.segments if _direct(part)), 0)


def _direct(part: Segment) -> bool:
    """Return whether a run's physical address is known, and it is not the kernel's text."""
    return not part.note and part.physical < 1 << 52 and part.virtual < _KERNEL_TEXT


def _from_kcore(kcore: Kcore, known: dict[str, int]) -> KernelFacts:
    offset = struct.unpack("<Q", kcore.read(known["__per_cpu_offset"], 8))[0]
    gdt = (known["gdt_page"] + offset) % (1 << 64)
    descriptor = struct.unpack("<Q", kcore.read(gdt + 8 * _GDT_ENTRY_KERNEL_CS, 8))[0]
    # A 64-bit code segment: present, code, long mode.
    if not (descriptor >> 47 & 1 and descriptor >> 43 & 1 and descriptor >> 53 & 1):
        raise Refused(
            _("there is no GDT at {gdt:#x}").format(gdt=gdt), hint=_("this kernel is not supported"), ident="HIB-E-GDT"
        )
    return KernelFacts(gdt, kcore.vmcoreinfo(), kcore.page_offset())
