"""How frames of the payload are compressed: the standard frame formats of zstd and LZ4, or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from struct import Struct, pack
from threading import local

import lz4.block
import lz4.frame
import zstandard

from khib_tui.errors import ImageError
from khib_tui.i18n import _
from khib_tui.image.effort import QUICK, STORE
from khib_tui.image.stored import unwrap, wrap
from khib_tui.model.units import MIB

FRAME = MIB
_MAX_WINDOW = 8 * MIB
_UNKNOWN = (1 << 64) - 1


class Codec(StrEnum):
    """The codecs of an image."""

    LZ4 = "lz4"
    ZSTD = "zstd"
    NONE = "none"


# What the efforts of `image/effort` are, from the quickest on. What is harder takes twice the time and more for a twentieth.
LEVELS = {Codec.LZ4: (0,), Codec.ZSTD: (-1, 1, 3), Codec.NONE: ()}
# A frame that shrinks by less than this share is stored: that is read faster.
_WORTH_IT = 32

_thread = local()


def compress(codec: Codec, data: bytes | memoryview, effort: int = QUICK) -> bytes:
    """Make one frame, which can be read alone; one that does not shrink holds its content as it is.

    :param effort: 0 compresses nothing; above, which of the codec's levels.
    """
    if codec is not Codec.NONE and effort > STORE:
        made = _compress(codec, data, LEVELS[codec][effort - QUICK])
        if len(made) <= len(data) - len(data) // _WORTH_IT:
            return made
    return wrap(codec, data)


def _compress(codec: Codec, data: bytes | memoryview, level: int) -> bytes:
    if codec is Codec.LZ4:
        size = lz4.frame.BLOCKSIZE_MAX1MB
        return bytes(lz4.frame.compress(data, level, block_size=size, block_linked=False, store_size=True))
    if not hasattr(_thread, "zstd"):
        _thread.zstd = {}
    if level not in _thread.zstd:
        _thread.zstd[level] = zstandard.ZstdCompressor(level=level)
    return bytes(_thread.zstd[level].compress(data))


def decompress(codec: Codec, data: memoryview, size: int) -> bytes | memoryview:
    """Decompress one frame whose digest was right; one without compression is `data` itself.

    :raises ImageError: it is damaged, or does not give exactly `size` bytes (at most one frame).
    """
    if size > FRAME:
        raise ImageError(_("a frame claims {size} bytes").format(size=size), ident="HIB-E-FRAME")
    try:
        plain = _decompress(codec, data, size)
    except (RuntimeError, lz4.block.LZ4BlockError, zstandard.ZstdError) as error:
        raise ImageError(_("a frame does not decompress: {error}").format(error=error), ident="HIB-E-FRAME") from error
    if len(plain) != size:
        raise ImageError(
            _("a frame gives {count} bytes instead of {size}").format(count=len(plain), size=size), ident="HIB-E-FRAME"
        )
    return plain


def _decompress(codec: Codec, data: memoryview, size: int) -> bytes | memoryview:
    if (content := unwrap(codec, data, size)) is not None:
        return content
    if codec is Codec.NONE:
        return data
    if codec is Codec.LZ4:
        if (plain := _single_block(data, size)) is not None:
            return plain
        if lz4.frame.get_frame_info(data)["content_size"] != size:
            raise ImageError(_("a frame claims another size than the index"), ident="HIB-E-FRAME")
        return bytes(lz4.frame.decompress(data))
    claimed = zstandard.get_frame_parameters(data).content_size
    if claimed not in (size, _UNKNOWN):  # the library would make room for whatever is claimed
        raise ImageError(_("a frame claims another size than the index"), ident="HIB-E-FRAME")
    if not hasattr(_thread, "unzstd"):
        _thread.unzstd = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
    return bytes(_thread.unzstd.decompress(data, max_output_size=size))


_LZ4_HEADER = Struct("<IBBQBI")
_LZ4_MAGIC, _LZ4_FLAGS, _LZ4_STORED = 0x184D2204, 0x68, 1 << 31


def _single_block(data: memoryview, size: int) -> bytes | None:
    """Decompress an LZ4 frame of one independent block without checksums, as `compress` makes them; None if it is another.

    The library's function for frames copies the content once more.
    """
    if len(data) < _LZ4_HEADER.size + 4:
        return None
    magic, flags, _, content, _, block = _LZ4_HEADER.unpack_from(data)
    end = _LZ4_HEADER.size + (block & ~_LZ4_STORED)
    if (magic, flags, content, end + 4) != (_LZ4_MAGIC, _LZ4_FLAGS, size, len(data)) or any(data[end:]):
        return None
    if block & _LZ4_STORED:
        return None
    return bytes(lz4.block.decompress(data[_LZ4_HEADER.size : end], uncompressed_size=size))


_SKIPPABLE, _SEEKABLE = 0x184D2A5E, 0x8F92EAB1


def seek_table(sizes: Iterable[tuple[int, int]]) -> bytes:
    """Make the seek table of zstd's seekable format, which decompressors of zstd and LZ4 skip.

    :param sizes: stored and content size of each frame.
    """
    entries = b"".join(pack("<II", *pair) for pair in sizes)
    footer = pack("<IBI", len(entries) // 8, 0, _SEEKABLE)
    return pack("<II", _SKIPPABLE, len(entries) + len(footer)) + entries + footer
