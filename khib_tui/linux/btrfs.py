"""Where btrfs keeps what it calls a place: its chunk tree, asked by its own ioctls (linux/btrfs.h, linux/btrfs_tree.h)."""

from __future__ import annotations

import fcntl
import struct
from collections.abc import Iterator
from typing import NamedTuple

_TREE_SEARCH, _FS_INFO = 0xD0009411, 0x8400941F
_CHUNK_TREE, _CHUNKS, _CHUNK_ITEM = 3, 256, 228
_KEY = struct.Struct("=7Q4I4Q")
_ITEM = struct.Struct("=QQQII")
_CHUNK = struct.Struct("<QQQQIIIHH")
_STRIPE = struct.Struct("<QQ")
_SIZE = 4096
_ALL = (1 << 64) - 1


class Chunk(NamedTuple):
    """`size` bytes of btrfs's own addresses from `logical` on; where each copy begins: device number and byte."""

    logical: int
    size: int
    stripes: tuple[tuple[int, int], ...]


def devices(fd: int) -> int:
    """Return how many devices the filesystem of an open file has.

    :raises OSError: it is no btrfs.
    """
    answer = fcntl.ioctl(fd, _FS_INFO, bytes(1024))
    return int(struct.unpack_from("=QQ", answer)[1])


def chunks(fd: int) -> list[Chunk]:
    """Read the chunk tree of the filesystem of an open file.

    :raises OSError: it is no btrfs, or we are not root.
    """
    found: list[Chunk] = []
    first = 0
    while True:
        buffer = bytearray(_SIZE)
        _KEY.pack_into(
            buffer, 0, _CHUNK_TREE, _CHUNKS, _CHUNKS, first, _ALL, 0, _ALL, _CHUNK_ITEM, _CHUNK_ITEM, 1000, 0, 0, 0, 0, 0
        )
        fcntl.ioctl(fd, _TREE_SEARCH, buffer, True)
        more = list(items(buffer))
        if not more:
            return found
        found += more
        first = more[-1].logical + 1


def items(answer: bytes | bytearray) -> Iterator[Chunk]:
    """Read one answer of a search."""
    at = _KEY.size
    for _ in range(_KEY.unpack_from(answer)[9]):
        _, _, logical, _, length = _ITEM.unpack_from(answer, at)
        at += _ITEM.size
        size, *_, count, _ = _CHUNK.unpack_from(answer, at)
        stripes = (_STRIPE.unpack_from(answer, at + _CHUNK.size + number * 32) for number in range(count))
        yield Chunk(logical, size, tuple((device, place) for device, place in stripes))
        at += length


def physical(found: list[Chunk], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where bytes of btrfs's own addresses lie on its one device.

    :raises ValueError: some lie in no chunk, or in several places.
    """
    while start < end:
        chunk = next((item for item in found if item.logical <= start < item.logical + item.size), None)
        if chunk is None or len(chunk.stripes) != 1:
            raise ValueError("the file has more than one copy, or none")
        stop = min(end, chunk.logical + chunk.size)
        place = chunk.stripes[0][1] + start - chunk.logical
        yield place, place + stop - start
        start = stop
