"""Where a file lies on the device below its filesystem: FIEMAP; and the flags of an inode (linux/fiemap.h, linux/fs.h)."""

from __future__ import annotations

import errno
import fcntl
import struct
from collections.abc import Iterator
from typing import NamedTuple

_FS_IOC_FIEMAP = 0xC020660B
_FS_IOC_GETFLAGS, _FS_IOC_SETFLAGS = 0x80086601, 0x40086602
_SYNC = 1
_HEAD = struct.Struct("=QQIIII")
_EXTENT = struct.Struct("=QQQQQIIII")
_BATCH = 500
_LAST = 0x1
UNWRITTEN = 0x800
_MERGED = 0x1000
# Flags of an extent that may be written beneath its filesystem: only these.
_PLAIN = _LAST | UNWRITTEN | _MERGED
IMMUTABLE = 0x10
NOCOW = 0x00800000


class Extent(NamedTuple):
    """`size` bytes of a file from `logical` on, at `physical` of its filesystem's device; `flags` as FIEMAP has them."""

    logical: int
    physical: int
    size: int
    flags: int

    @property
    def plain(self) -> bool:
        """Whether it lies there alone and as it is: not shared, packed, encrypted, or still to be placed."""
        return self.physical > 0 and not self.flags & ~_PLAIN


def extents(fd: int) -> Iterator[Extent]:
    """Yield the extents of an open file, in its order, after what was written is on the disk.

    :raises OSError: the filesystem does not tell.
    """
    at, last = 0, False
    while not last:
        buffer = bytearray(_HEAD.size + _BATCH * _EXTENT.size)
        _HEAD.pack_into(buffer, 0, at, (1 << 64) - 1 - at, _SYNC, 0, _BATCH, 0)
        fcntl.ioctl(fd, _FS_IOC_FIEMAP, buffer, True)
        count = _HEAD.unpack_from(buffer)[3]
        for number in range(count):
            logical, physical, size, _, _, flags, *_ = _EXTENT.unpack_from(buffer, _HEAD.size + number * _EXTENT.size)
            yield Extent(logical, physical, size, flags)
            at, last = logical + size, bool(flags & _LAST)
        last |= not count


def flags_of(fd: int) -> int:
    """Return the flags of an open file or folder (`lsattr`).

    :raises OSError: its filesystem has none.
    """
    return int(struct.unpack("=i", fcntl.ioctl(fd, _FS_IOC_GETFLAGS, bytes(8))[:4])[0])


def set_flag(fd: int, flag: int, *, on: bool) -> bool:
    """Set or clear a flag; return whether it is so now: not every filesystem knows each.

    :raises OSError: it may not be changed.
    """
    try:
        old = flags_of(fd)
        new = old | flag if on else old & ~flag
        if new != old:
            fcntl.ioctl(fd, _FS_IOC_SETFLAGS, struct.pack("=q", new))
    except OSError as error:
        if error.errno not in (errno.ENOTTY, errno.EOPNOTSUPP, errno.EINVAL):
            raise
        return False
    return bool(flags_of(fd) & flag) is on
