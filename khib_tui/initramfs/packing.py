"""How an initramfs is compressed: whole, as well as can be, or piece by piece with little memory and time."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path

import lz4.block
import zstandard

from khib_tui.facts.read import text
from khib_tui.model.units import MIB

MARK = "etc/khib/compression"
"""The file of an initramfs that says how it is compressed: its kernel unpacks that."""
_LZ4_LEGACY, _LZ4_BLOCK = 0x184C2102, 8 * MIB
_PIECE = MIB
_GZIP = 31  # wbits of zlib: the largest window, with gzip's header and checksum


class Compression(StrEnum):
    """How the archive is compressed, in the order of preference: the kernel unpacks LZ4 in half of zstd's time.

    The kernel needs CONFIG_RD_LZ4, CONFIG_RD_ZSTD or CONFIG_RD_GZIP.
    """

    LZ4 = "lz4"
    ZSTD = "zstd"
    GZIP = "gzip"

    @classmethod
    def best(cls, config: Mapping[str, str]) -> Compression:
        """Return the best that a kernel with this configuration knows; nearly all know gzip."""
        return next((kind for kind in cls if config.get(f"RD_{kind.name}") == "y"), cls.GZIP)


def known(root: Path) -> Compression:
    """Return how the initramfs that this kernel was started from was compressed."""
    word = text(root / MARK, 16)
    return Compression(word) if word in list(Compression) else Compression.GZIP


def compress(data: bytes, compression: Compression) -> bytes:
    """Compress an archive as well as can be."""
    match compression:
        case Compression.GZIP:
            packed = gzip.compress(data, 9, mtime=0)
        case Compression.ZSTD:
            packed = zstandard.ZstdCompressor(level=10, write_checksum=False).compress(data)
        case Compression.LZ4:
            packed = b"".join(_lz4([data], "high_compression", _LZ4_BLOCK))
    return packed + _padding(packed)


def squeezed(pieces: Iterable[bytes], compression: Compression) -> bytearray:
    """Compress an archive that comes in pieces, fast; what it takes is the result and some MiB."""
    out = bytearray()
    match compression:
        case Compression.GZIP:
            deflate = zlib.compressobj(1, wbits=_GZIP)
            parts = _each(pieces, deflate.compress, deflate.flush)
        case Compression.ZSTD:
            frame = zstandard.ZstdCompressor(level=1, write_checksum=False).compressobj()
            parts = _each(pieces, frame.compress, frame.flush)
        case Compression.LZ4:
            parts = _lz4(pieces, "default", _PIECE)
    for part in parts:
        out += part
    out += _padding(out)
    return out


def _padding(packed: bytes | bytearray) -> bytes:
    """Return what is missing: the kernel looks for the next archive at a multiple of four."""
    return bytes(-len(packed) % 512)


def _each(pieces: Iterable[bytes], add: Callable[[bytes], bytes], end: Callable[[], bytes]) -> Iterator[bytes]:
    for block in _blocks(pieces, _PIECE):
        yield add(block)
    yield end()


def _lz4(pieces: Iterable[bytes], mode: str, size: int) -> Iterator[bytes]:
    """Compress in the legacy frame format, the only one that kernels unpack; a block size of zero ends it."""
    yield struct.pack("<I", _LZ4_LEGACY)
    for block in _blocks(pieces, size):
        packed = lz4.block.compress(block, mode=mode, store_size=False)
        yield struct.pack("<I", len(packed)) + packed
    yield bytes(4)


def _blocks(pieces: Iterable[bytes], count: int) -> Iterator[bytes]:
    """Yield blocks of just so many bytes; the last may be shorter."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) >= count:
            yield bytes(waiting[:count])
            del waiting[:count]
    if waiting:
        yield bytes(waiting)
