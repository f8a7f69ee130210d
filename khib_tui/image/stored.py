"""Frames of zstd and LZ4 that hold their content as it is: raw blocks of RFC 8878, uncompressed blocks of LZ4.

A layout is what stands between the pieces of the content: pairs of bytes and the size of the piece behind them.
"""

from __future__ import annotations

from struct import pack

import xxhash

from khib_tui.model.units import KIB

Layout = tuple[tuple[bytes, int], ...]

LZ4, ZSTD, NONE = "lz4", "zstd", "none"
_LZ4_MAGIC, _LZ4_UNCOMPRESSED = 0x184D2204, 1 << 31
# version 1, independent blocks, content size; blocks of at most 1 MiB
_LZ4_DESCRIPTOR = 0x68, 0x60
# a content size of four bytes, and the window is all of the content
_ZSTD_MAGIC, _ZSTD_DESCRIPTOR = 0xFD2FB528, 0xA0
_ZSTD_BLOCK = 128 * KIB

_known: dict[tuple[str, int], Layout] = {}


def layout(codec: str, size: int) -> Layout:
    """Return the layout of a frame with `size` bytes of content, at most 1 MiB."""
    found = _known.get((codec, size))
    if found is None:
        found = _known[codec, size] = _MAKERS[codec](size)
    return found


def frame_size(codec: str, size: int) -> int:
    """Return the bytes that a frame with `size` bytes of content takes."""
    return sum(len(before) + count for before, count in layout(codec, size))


def wrap(codec: str, data: bytes | memoryview) -> bytes:
    """Make a frame of data as it is."""
    pieces: list[bytes | memoryview] = []
    at = 0
    for before, count in layout(codec, len(data)):
        pieces += before, data[at : at + count]
        at += count
    return b"".join(pieces)


def unwrap(codec: str, frame: memoryview, size: int) -> bytes | memoryview | None:
    """Return the content of a frame as `wrap` makes it, where it can be without a copy; None if it is another."""
    if len(frame) != frame_size(codec, size):
        return None
    pieces: list[memoryview] = []
    at = 0
    for before, count in layout(codec, size):
        start = at + len(before)
        if frame[at:start] != before:
            return None
        at = start + count
        if count:
            pieces.append(frame[start:at])
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _none(size: int) -> Layout:
    return ((b"", size),)


def _lz4(size: int) -> Layout:
    descriptor = pack("<BBQ", *_LZ4_DESCRIPTOR, size)
    check = xxhash.xxh32_intdigest(descriptor) >> 8 & 0xFF
    block = pack("<I", size | _LZ4_UNCOMPRESSED) if size else b""
    return (pack("<I", _LZ4_MAGIC) + descriptor + bytes([check]) + block, size), (bytes(4), 0)


def _zstd(size: int) -> Layout:
    made, before = [], pack("<IBI", _ZSTD_MAGIC, _ZSTD_DESCRIPTOR, size)
    for at in range(0, max(size, 1), _ZSTD_BLOCK):
        count = min(size - at, _ZSTD_BLOCK)
        last = at + count == size
        made.append((before + pack("<I", count << 3 | last)[:3], count))
        before = b""
    return tuple(made)


_MAKERS = {NONE: _none, LZ4: _lz4, ZSTD: _zstd}
