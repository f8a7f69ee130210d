"""What is in a bzImage: the kernel itself, an ELF file, and the configuration that it may carry (IKCONFIG)."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from khib_tui.formats import bzimage, packed
from khib_tui.formats.bzimage import BzImage

MOST = 512 << 20
_PAYLOAD = 0x248 - bzimage.SETUP_SECTS  # offset and length, within the setup header
_MAGIC = {
    b"\x1f\x8b": "gz", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zst", b"\x02\x21\x4c\x18": "lz4", b"\x5d\x00\x00": "lzma",
    b"\x7fELF": "",
}  # fmt: skip
_BEGIN, _END = b"IKCFG_ST", b"IKCFG_ED"
_GZIP = 31
_CONFIG_MOST = 4 << 20
_X86_64 = 62


def content(image: BzImage) -> bytes:
    """Return the kernel uncompressed, an ELF file; empty if it cannot be unpacked (bzip2, LZO, damaged).

    :raises OSError: the file cannot be read.
    """
    offset, length = struct.unpack_from("<II", image.setup_header, _PAYLOAD)
    data = _read(image.path, image.payload_offset + offset, length)
    kind = next((name for magic, name in _MAGIC.items() if data.startswith(magic)), None)
    if kind is None:
        return b""
    try:
        out = packed.plain(kind, data, MOST)
    except packed.ERRORS:
        return b""
    return out if out.startswith(b"\x7fELF") else b""


def is_x86_64(elf: bytes) -> bool:
    """Return whether an ELF file is for this architecture."""
    return len(elf) >= 20 and int(struct.unpack_from("<H", elf, 18)[0]) == _X86_64


def configuration(elf: bytes) -> str:
    """Return the configuration that a kernel carries, as its `.config`; empty if it carries none."""
    begin = elf.find(_BEGIN)
    end = elf.find(_END, begin)
    if begin < 0 or end < 0:
        return ""
    try:
        data = zlib.decompressobj(_GZIP).decompress(elf[begin + len(_BEGIN) : end], _CONFIG_MOST)
    except zlib.error:
        return ""
    return data.decode(errors="replace")


def _read(path: Path, offset: int, length: int) -> bytes:
    with path.open("rb") as stream:
        stream.seek(offset)
        return stream.read(min(length, MOST))
