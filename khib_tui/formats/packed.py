"""What kernels and their modules are compressed with: whole and of a bounded size, or an error."""

from __future__ import annotations

import lzma
import struct
import zlib
from typing import Protocol

import lz4.block
import zstandard

ERRORS = (lzma.LZMAError, zlib.error, zstandard.ZstdError, lz4.block.LZ4BlockError, EOFError, ValueError)
"""What `plain` raises for what is damaged, cut off or too large."""
_WINDOW = 128 << 20
_STEP = 4 << 10
_GZIP = 31  # wbits of zlib: the largest window, with gzip's header and checksum
_LZ4_BLOCK = 8 << 20  # of the legacy frame, the only one that kernels use


def plain(kind: str, data: bytes, most: int) -> bytes:
    """Return data uncompressed.

    :param kind: `xz`, `gz`, `zst`, `lzma`, `lz4`; any other is taken for not compressed.
    :param most: bytes that it may have.
    """
    match kind:
        case "xz" | "lzma":
            return _whole(lzma.LZMADecompressor(), data, most)
        case "gz":
            return _whole(zlib.decompressobj(wbits=_GZIP), data, most)
        case "zst":
            return _unzstd(data, most)
        case "lz4":
            return _unlz4(data, most)
    return data


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _whole(decompressor: _Decompressor, data: bytes, most: int) -> bytes:
    out = decompressor.decompress(data, most)
    if not decompressor.eof:
        raise EOFError("it is cut off, or too large")
    return out


def _unzstd(data: bytes, most: int) -> bytes:
    """Decompress a frame, which need not say how large its content is, in steps that cannot grow far."""
    frame = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
    parts: list[bytes] = []
    total = at = 0
    while not frame.eof:
        if at >= len(data):
            raise EOFError("it is cut off")
        parts.append(frame.decompress(data[at : at + _STEP]))
        total, at = total + len(parts[-1]), at + _STEP
        if total > most:
            raise EOFError("it is too large")
    return b"".join(parts)


def _unlz4(data: bytes, most: int) -> bytes:
    """Decompress the blocks of a legacy frame; the kernel's build puts four bytes of size behind the last one."""
    parts: list[bytes] = []
    at, total = 4, 0
    while at + 4 < len(data) and total <= most:
        (length,) = struct.unpack_from("<I", data, at)
        if length > len(data) - at - 4:
            raise EOFError("it is cut off")
        parts.append(lz4.block.decompress(data[at + 4 : at + 4 + length], uncompressed_size=_LZ4_BLOCK))
        at, total = at + 4 + length, total + len(parts[-1])
    if not parts or total > most:
        raise EOFError("it is cut off, or too large")
    return b"".join(parts)
