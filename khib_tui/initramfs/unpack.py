"""Compressed files of a kernel: whole and of a bounded size, or an error."""

from __future__ import annotations

import lzma
import zlib
from pathlib import Path
from typing import Protocol

import zstandard

from khib_tui import files
from khib_tui.errors import KhibError

# Far more than any module has.
MOST = 512 << 20
_WINDOW = 128 << 20
_STEP = 4 << 10
_GZIP = 31  # wbits of zlib: the largest window, with gzip's header and checksum


def content(path: Path) -> bytes:
    """Read a kernel module, uncompressed.

    :raises KhibError: it cannot be read, is damaged, cut off, or too large.
    """
    try:
        return _plain(path.suffix, files.read(path, MOST))
    except (lzma.LZMAError, zlib.error, zstandard.ZstdError, OSError, EOFError, ValueError) as error:
        raise KhibError(f"the kernel module {path} is damaged: {files.reason(error)}", ident="HIB-E-MODULE") from error


def _plain(suffix: str, data: bytes) -> bytes:
    match suffix:
        case ".xz":
            return _whole(lzma.LZMADecompressor(), data)
        case ".gz":
            return _whole(zlib.decompressobj(wbits=_GZIP), data)
        case ".zst":
            return _unzstd(data)
    return data


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _whole(decompressor: _Decompressor, data: bytes) -> bytes:
    plain = decompressor.decompress(data, MOST)
    if not decompressor.eof:
        raise EOFError("it is cut off, or too large")
    return plain


def _unzstd(data: bytes) -> bytes:
    """Decompress a frame, which need not say how large its content is, in steps that cannot grow far."""
    frame = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
    parts: list[bytes] = []
    total = at = 0
    while not frame.eof:
        if at >= len(data):
            raise EOFError("it is cut off")
        parts.append(frame.decompress(data[at : at + _STEP]))
        total, at = total + len(parts[-1]), at + _STEP
        if total > MOST:
            raise EOFError("it is too large")
    return b"".join(parts)
