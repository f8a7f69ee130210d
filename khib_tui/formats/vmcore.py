"""The payload: an ELF64 vmcore, as /proc/vmcore and makedumpfile -E give it.

One PT_LOAD for each run of pages. `p_filesz` bytes are in the file, the rest up to `p_memsz` is zero; memory in no PT_LOAD
was free. Offsets are page aligned and never 0 in the file, which `crash` needs; more than 65534 runs use extended
numbering (PN_XNUM).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from msgspec import Struct

from khib_tui.errors import ImageError
from khib_tui.i18n import _
from khib_tui.model.units import PAGE

_EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
_PHDR = struct.Struct("<IIQQQQQQ")
_SHDR = struct.Struct("<IIQQQQIIQQ")
_NHDR = struct.Struct("<III")
_IDENT = b"\x7fELF\x02\x01\x01" + bytes(9)
_ET_CORE, _EM_X86_64 = 4, 62
_PT_LOAD, _PT_NOTE = 1, 4
_PN_XNUM = 0xFFFF
_RWX = 7
_MAX_NAME = 64
# Far above what a scan leaves, and in memory still small beside what C has.
MAX_SEGMENTS = 1 << 17
_MAX_HEAD = 16 << 20
MAX_NOTES = 1 << 16


class MemoryRun(Struct, frozen=True):
    """Physical memory from `start`: `filesz` bytes of content, then zeros up to `memsz` bytes."""

    start: int
    filesz: int
    memsz: int


class Placed(Struct, frozen=True):
    """A run with the offset of its content in the ELF file."""

    run: MemoryRun
    offset: int


def place(runs: Sequence[MemoryRun], note_size: int) -> list[Placed]:
    """Return the runs with their offsets."""
    offset = header_size(len(runs), note_size)
    placed = []
    for run in runs:
        placed.append(Placed(run, offset))
        offset += run.filesz
    return placed


def header_size(count: int, note_size: int) -> int:
    """Return the size of everything before the first run, in whole pages."""
    extra = _SHDR.size if count + 1 >= _PN_XNUM else 0
    size = _EHDR.size + (count + 1) * _PHDR.size + extra + note_size
    return -(-size // PAGE) * PAGE


def note(name: str, text: bytes, kind: int = 0) -> bytes:
    """Make an ELF note."""
    label = name.encode() + b"\0"
    return _NHDR.pack(len(label), len(text), kind) + _pad(label) + _pad(text)


def _pad(data: bytes) -> bytes:
    return data.ljust(-(-len(data) // 4) * 4, b"\0")


def notes(data: bytes) -> Iterator[tuple[tuple[str, int], bytes]]:
    """Read the notes of a PT_NOTE: name and type, and what they say.

    :raises ImageError: there are more than any machine has processors.
    """
    at = count = 0
    while at + _NHDR.size <= len(data):
        if (count := count + 1) > MAX_NOTES:
            raise ImageError(_("the vmcore has too many notes"), ident="HIB-E-VMCORE")
        name_size, size, kind = _NHDR.unpack_from(data, at)
        text_at = at + _NHDR.size + -(-name_size // 4) * 4
        name = data[at + _NHDR.size : at + _NHDR.size + min(name_size, _MAX_NAME)].rstrip(b"\0").decode("latin-1")
        yield (name, kind), data[text_at : text_at + size]
        at = text_at + -(-size // 4) * 4


def header(placed: Sequence[Placed], told: bytes, page_offset: int) -> bytes:
    """Make the ELF header, program headers and notes.

    :param told: the notes.
    :param page_offset: virtual address of physical address 0.
    """
    count = len(placed) + 1
    extended = count >= _PN_XNUM
    sections = _EHDR.size + count * _PHDR.size if extended else 0
    notes_at = _EHDR.size + count * _PHDR.size + (_SHDR.size if extended else 0)
    parts = [
        _EHDR.pack(
            _IDENT, _ET_CORE, _EM_X86_64, 1, 0, _EHDR.size, sections, 0, _EHDR.size, _PHDR.size,
            _PN_XNUM if extended else count, _SHDR.size if extended else 0, 1 if extended else 0, 0,
        ),
        _PHDR.pack(_PT_NOTE, 0, notes_at, 0, 0, len(told), len(told), 4),
    ]  # fmt: skip
    for item in placed:
        run = item.run
        virtual = (run.start + page_offset) % (1 << 64)
        parts.append(_PHDR.pack(_PT_LOAD, _RWX, item.offset, virtual, run.start, run.filesz, run.memsz, PAGE))
    if extended:
        parts.append(_SHDR.pack(0, 0, 0, 0, 0, 0, 0, count, 0, 0))
    data = b"".join([*parts, told])
    return data.ljust(header_size(len(placed), len(told)), b"\0")


def headers_end(first: bytes) -> int:
    """Return, from the first bytes of the file, how many bytes hold all program headers.

    :raises ImageError: it is no vmcore of x86-64.
    """
    if len(first) < _EHDR.size:
        raise ImageError(_("the vmcore is cut off in its header"), ident="HIB-E-VMCORE")
    fields = _EHDR.unpack_from(first)
    ident, kind, machine, phoff, shoff, phentsize, phnum = (*fields[:3], fields[5], fields[6], fields[9], fields[10])
    if ident[:6] != _IDENT[:6] or kind != _ET_CORE or machine != _EM_X86_64 or phentsize != _PHDR.size:
        raise ImageError(_("this is no 64-bit x86 vmcore"), ident="HIB-E-VMCORE")
    count = _count(first, phnum, shoff)
    end = int(phoff) + count * _PHDR.size
    if count > MAX_SEGMENTS or end > _MAX_HEAD:
        raise ImageError(
            _("the vmcore has {count} segments, described up to byte {end}").format(count=count, end=end), ident="HIB-E-VMCORE"
        )
    return end


def _count(data: bytes, phnum: int, shoff: int) -> int:
    if phnum != _PN_XNUM:
        return phnum
    if shoff + _SHDR.size > len(data):
        # The section header follows the program headers: ask for all that could be there.
        return (shoff + _SHDR.size - _EHDR.size) // _PHDR.size + 1
    return int(_SHDR.unpack_from(data, shoff)[7])


class Segment(Struct, frozen=True):
    """A program header: offset and size in the file, virtual and physical address, size in memory."""

    note: bool
    offset: int
    virtual: int
    physical: int
    filesz: int
    memsz: int


def segments(data: bytes) -> Iterator[Segment]:
    """Read the PT_LOAD and PT_NOTE headers in their order.

    :param data: at least `headers_end()` bytes from the start of the file.
    :raises ImageError: it has fewer.
    """
    if len(data) < headers_end(data):
        raise ImageError(_("the vmcore ends in its headers"), ident="HIB-E-VMCORE")
    fields = _EHDR.unpack_from(data)
    for number in range(_count(data, fields[10], fields[6])):
        kind, _flags, *rest, _align = _PHDR.unpack_from(data, fields[5] + number * _PHDR.size)
        if kind in (_PT_LOAD, _PT_NOTE):
            yield Segment(kind == _PT_NOTE, *rest)


def parse(data: bytes) -> list[Placed]:
    """Read the runs back from the headers.

    :param data: at least `headers_end()` bytes from the start of the file.
    :raises ImageError: a run is not page aligned, overlaps another, or is out of order.
    """
    found = (part for part in segments(data) if not part.note)
    placed = [Placed(MemoryRun(part.physical, part.filesz, part.memsz), part.offset) for part in found]
    _refuse_disorder(placed)
    return placed


def _refuse_disorder(placed: Sequence[Placed]) -> None:
    memory_end = offset_end = 0
    for item in placed:
        run = item.run
        ragged = (run.start | run.filesz | run.memsz) % PAGE or run.filesz > run.memsz or run.start + run.memsz > 1 << 52
        if ragged or run.start < memory_end or item.offset < offset_end:
            raise ImageError(
                _("the vmcore has an impossible segment at {start:#x}").format(start=run.start), ident="HIB-E-VMCORE"
            )
        memory_end = run.start + run.memsz
        offset_end = item.offset + run.filesz
