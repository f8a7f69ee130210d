"""Which parts of a filesystem or swap tell that somebody has used it: superblocks, journal heads, checkpoints, swap slots.

All places are bytes from its start; what is read of it is small. A kind that is not known is sampled.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator

from khib_tui.facts.signatures import SWAP_KINDS, Read
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import KIB, MIB, PAGE
from khib_tui.prints import f2fs, xfs
from khib_tui.prints.stack import ends

SAMPLES = 64
# Where nobody can tell which parts of a device count.
MANY_SAMPLES = 1024
# The kernel hands out swap slots in clusters of 512 pages, from the first page of each on (mm/swapfile.c).
CLUSTER = 2 * MIB
CLUSTERS, CLUSTERS_OF_A_SLOW_DISK = 2048, 256
_SWAP_HEAD = 256 * KIB
_BTRFS_SUPERBLOCKS = (64 * KIB, 64 * MIB, 256 << 30)
_FAT_LIMIT = 16 * MIB

Spans = Iterable[tuple[int, int]]


def of(fstype: str, size: int, read: Read, *, rotational: bool = False) -> Ranges:
    """Return what is to be digested of a filesystem or swap, in whole pages.

    :param size: bytes of the device it is on.
    :param read: reads that device; what cannot be read makes the kind an unknown one.
    :param rotational: a disk on which each place takes milliseconds.
    """
    if fstype in SWAP_KINDS:
        return whole_pages(_swap(size, rotational), size)
    try:
        found = list(KINDS[fstype](read, size))
    except (KeyError, struct.error, ZeroDivisionError):
        found = []
    return whole_pages(found or sampled(size), size)


def whole_pages(spans: Spans, size: int) -> Ranges:
    """Widen spans to whole pages, within a device of `size` bytes."""
    return Ranges.of((start // PAGE * PAGE, min(-(-end // PAGE) * PAGE, size)) for start, end in spans)


def sampled(size: int, count: int = SAMPLES) -> Iterator[tuple[int, int]]:
    """Return the ends of a device, and pages that are spread evenly over it."""
    yield from ends(size)
    yield from spread(0, size, count)


def spread(start: int, end: int, count: int) -> Iterator[tuple[int, int]]:
    """Return `count` pages, spread evenly."""
    for number in range(count):
        at = start + (end - start) * number // count
        yield at, at + 1


def _swap(size: int, rotational: bool) -> Iterator[tuple[int, int]]:
    yield 0, _SWAP_HEAD
    limit = CLUSTERS_OF_A_SLOW_DISK if rotational else CLUSTERS
    clusters = -(-size // CLUSTER)
    every = -(-clusters // limit)
    for at in range(0, size, every * CLUSTER):
        yield at, at + 1


def _ext(read: Read, size: int) -> Iterator[tuple[int, int]]:
    """Take superblock, group descriptors and the head of the journal, which the superblock has a copy of the place of."""
    head = read(1024, 1024)
    (first, shift), (per_group,) = struct.unpack_from("<II", head, 0x14), struct.unpack_from("<I", head, 0x20)
    block = 1024 << (shift & 7)
    groups = -(-size // (block * per_group))
    yield 0, (first + 1) * block + min(groups * 64, 256 * KIB)
    if head[0xFD] == 1:
        magic, count, _max, depth = struct.unpack_from("<4H", head, 0x10C)
        if magic == 0xF30A and count and not depth:
            _at, _length, high, low = struct.unpack_from("<IHHI", head, 0x10C + 12)
            journal = (high << 32 | low) * block
        else:
            journal = struct.unpack_from("<I", head, 0x10C)[0] * block if magic != 0xF30A else 0
        if 0 < journal < size:
            yield journal, journal + 64 * KIB


def _btrfs(read: Read, size: int) -> Iterator[tuple[int, int]]:
    for at in _BTRFS_SUPERBLOCKS:
        if at + PAGE <= size:
            yield at, at + PAGE


def _fat(read: Read, size: int) -> Iterator[tuple[int, int]]:
    """Take boot sector, FSInfo, the first table and the root directory."""
    boot = read(0, 512)
    sector, cluster, reserved, tables, entries = struct.unpack_from("<HBHBH", boot, 11)
    (short,), (long,), (root,) = (struct.unpack_from(kind, boot, at) for kind, at in (("<H", 22), ("<I", 36), ("<I", 44)))
    table = (short or long) * sector
    start = reserved * sector
    yield 0, start + min(table, _FAT_LIMIT)
    behind = start + tables * table
    if entries:
        yield behind, behind + entries * 32
    else:
        at = behind + (root - 2) * cluster * sector
        yield at, at + cluster * sector


def _zfs(read: Read, size: int) -> Iterator[tuple[int, int]]:
    """Take the four labels, with all their uberblocks."""
    yield 0, 512 * KIB
    yield max(size - MIB, 0), size


KINDS: dict[str, Callable[[Read, int], Iterator[tuple[int, int]]]] = {
    **dict.fromkeys(("ext2", "ext3", "ext4"), _ext), "xfs": xfs.areas, "btrfs": _btrfs, "f2fs": f2fs.areas, "vfat": _fat,
    "zfs_member": _zfs,
}  # fmt: skip
