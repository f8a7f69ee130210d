"""XFS: the superblock may not change for half a minute after a mount, but its log does at once."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from khib_tui.facts.signatures import Read
from khib_tui.model.units import MIB, PAGE

# All of a log that is not larger; else what lies around its head, and samples.
WHOLE_LOG = 64 * MIB
BEFORE, BEHIND = 1 * MIB, 32 * MIB
SAMPLES = 256
GROUPS = 128
_SECTOR = 512
_RECORD = b"\xfe\xed\xba\xbe"


def areas(read: Read, size: int) -> Iterator[tuple[int, int]]:
    """Take the heads of the allocation groups (superblock, free space, inodes) and the log (fs/xfs/libxfs/xfs_format.h).

    :raises struct.error: there is no superblock.
    """
    head = read(0, 512)
    (block,), (log_start,), (group_blocks, groups) = (
        struct.unpack_from(kind, head, at) for kind, at in ((">I", 4), (">Q", 48), (">II", 84))
    )
    (log_blocks,), (sector,), (shift,) = (
        struct.unpack_from(kind, head, at) for kind, at in ((">I", 96), (">H", 102), (">B", 124))
    )
    every = -(-groups // GROUPS)
    for group in range(0, groups, every):
        yield group * group_blocks * block, group * group_blocks * block + 4 * sector
    if log_start:
        start = ((log_start >> shift) * group_blocks + (log_start & ((1 << shift) - 1))) * block
        yield from _log(read, start, log_blocks * block)


def _log(read: Read, start: int, length: int) -> Iterator[tuple[int, int]]:
    if length <= WHOLE_LOG:
        yield start, start + length
        return
    head = _head(read, start, length)
    yield start + max(head - BEFORE, 0), start + min(head + BEHIND, length)
    yield start, start + max(head + BEHIND - length, 0)
    for number in range(SAMPLES):
        at = start + length * number // SAMPLES // PAGE * PAGE
        yield at, at + PAGE


def _head(read: Read, start: int, length: int) -> int:
    """Find the first sector that the log's current round has not reached: its cycle number is not that of the first one."""
    low, high = 0, length // _SECTOR
    first = _cycle(read, start)
    while high - low > 1:
        middle = (low + high) // 2
        if _cycle(read, start + middle * _SECTOR) == first:
            low = middle
        else:
            high = middle
    return high * _SECTOR


def _cycle(read: Read, at: int) -> bytes:
    """Return the cycle number that each sector of a log begins with; that of a record's header stands behind its magic."""
    data = read(at, 8)
    return data[4:8] if data.startswith(_RECORD) else data[:4]
