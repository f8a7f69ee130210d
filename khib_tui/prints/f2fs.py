"""F2FS: two checkpoints in turn, and the segments that are being written, where synced files show before a checkpoint."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from khib_tui.facts.signatures import Read

_SUPERBLOCK = 1024
_NODE_LOGS, _DATA_LOGS = (36, 3), (84, 3)


def areas(read: Read, size: int) -> Iterator[tuple[int, int]]:
    """Take superblocks, checkpoints and the current segments (include/linux/f2fs_fs.h).

    :raises struct.error: there is no superblock.
    """
    head = read(_SUPERBLOCK, 512)
    log_block, log_segment = struct.unpack_from("<II", head, 16)
    (segments,), (checkpoint,), (main,) = (struct.unpack_from("<I", head, at) for at in (52, 76, 92))
    block, segment = 1 << (log_block & 31), 1 << (log_block + log_segment & 63)
    yield 0, 2 * block
    yield checkpoint * block, checkpoint * block + segments * segment
    packs = [read(at, 256) for at in (checkpoint * block, checkpoint * block + segment)]
    newest = max(packs, key=lambda pack: struct.unpack_from("<Q", pack)[0])
    for offset, count in (_NODE_LOGS, _DATA_LOGS):
        for number in struct.unpack_from(f"<{count}I", newest, offset):
            at = main * block + number * segment
            if at < size:
                yield at, at + segment
