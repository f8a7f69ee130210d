"""What a kernel module says of the kernel that it was built for: sections of an ELF file (include/linux/module.h)."""

from __future__ import annotations

import struct

from msgspec import Struct

from khib_tui.i18n import _

MOST = 256 << 20
_ELF64 = b"\x7fELF\x02\x01"
_HEADER_SIZE = 0x40
_SECTION_OFFSET, _SECTION_COUNT = 0x28, 0x3C  # e_shoff; e_shnum and e_shstrndx
_SECTION = struct.Struct("<IIQQQQIIQQ")
_VERSION = struct.Struct("<Q56s")
_NO_BITS = 8


class KernelModule(Struct, frozen=True):
    """A module: `vermagic` is its kernel's release and kind, `versions` the CRC of each symbol that it uses.

    `exports` are the names of symbols that it has for other modules (and of their namespaces).
    """

    vermagic: str
    versions: dict[str, int]
    exports: frozenset[str]


def read(data: bytes) -> KernelModule:
    """Read a module that is not compressed.

    :raises ValueError: it is no ELF file of this kind, or damaged.
    """
    try:
        found = _sections(data)
        versions = {name.partition(b"\0")[0].decode(): crc for crc, name in _VERSION.iter_unpack(found.get("__versions", b""))}
    except struct.error as error:
        raise ValueError(_("it is damaged")) from error
    info = found.get(".modinfo", b"").split(b"\0")
    magic = next((line for line in info if line.startswith(b"vermagic=")), b"")
    exports = frozenset(name.decode(errors="replace") for name in found.get("__ksymtab_strings", b"").split(b"\0"))
    return KernelModule(magic.partition(b"=")[2].decode(errors="replace"), versions, exports - {""})


def _sections(data: bytes) -> dict[str, bytes]:
    if not data.startswith(_ELF64) or len(data) < _HEADER_SIZE:
        raise ValueError(_("it is no module for x86_64"))
    (offset,) = struct.unpack_from("<Q", data, _SECTION_OFFSET)
    count, names = struct.unpack_from("<HH", data, _SECTION_COUNT)
    headers = list(_SECTION.iter_unpack(data[offset : offset + count * _SECTION.size]))
    if len(headers) != count or names >= count:
        raise ValueError(_("it is cut off"))
    text = _content(data, headers[names])
    return {_text(text, header[0]): _content(data, header) for header in headers if header[1] != _NO_BITS}


def _content(data: bytes, header: tuple[int, ...]) -> bytes:
    return data[header[4] : header[4] + header[5]]


def _text(table: bytes, at: int) -> str:
    return table[at : table.find(b"\0", at)].decode(errors="replace")
