"""The place an image lies in: a partition or a file, written past the page cache.

Direct I/O wants aligned memory, offsets and sizes; where a filesystem has none (tmpfs), ordinary I/O serves.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from khib_tui import files
from khib_tui.errors import ImageError
from khib_tui.i18n import _
from khib_tui.linux.buffers import Buffer
from khib_tui.model.units import MIB

BLOCK = 4096
BUFFER = 4 * MIB
_BLKGETSIZE64 = 0x80081272


class Store:
    """Random access in whole blocks, by several threads at once, and a flush that tells the truth.

    :param exclusive: refuse a block device that this kernel has mounted.
    :param create: make a file that is missing.
    :param root: `path` is an ordinary file below this folder of a filesystem that others wrote; no link is followed.
    :raises ImageError: it cannot be opened.
    """

    def __init__(
        self, path: Path, *, writable: bool = False, exclusive: bool = False, create: bool = False, root: Path | None = None
    ) -> None:
        self.path, self.root = path, root
        flags = (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC
        flags |= (os.O_EXCL if exclusive else 0) | (os.O_CREAT if create else 0)
        try:
            self.fd, self.direct = self._open(flags)
        except OSError as error:
            raise ImageError(f"{path}: {error.strerror}", ident="HIB-E-STORE") from error
        self.local = threading.local()

    def _open(self, flags: int) -> tuple[int, bool]:
        try:
            return self._descriptor(flags | os.O_DIRECT), True
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            return self._descriptor(flags), False

    def _descriptor(self, flags: int) -> int:
        if self.root is None:
            return os.open(self.path, flags, files.PRIVATE)
        return files.open_beneath(self.root, os.fspath(self.path.relative_to(self.root)), flags)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; writes that were not flushed may be lost."""
        os.close(self.fd)

    @property
    def capacity(self) -> int:
        """Bytes it holds: the device's size, or the file's."""
        status = os.fstat(self.fd)
        if not stat.S_ISBLK(status.st_mode):
            return status.st_size
        raw = fcntl.ioctl(self.fd, _BLKGETSIZE64, bytes(8))
        return int(struct.unpack("<Q", raw)[0])

    @property
    def room(self) -> int:
        """Bytes it could hold: a file may grow as far as its filesystem has room."""
        status, around = os.fstat(self.fd), os.fstatvfs(self.fd)
        growth = 0 if stat.S_ISBLK(status.st_mode) else around.f_bavail * around.f_frsize
        return self.capacity + growth

    def view(self, offset: int, count: int) -> memoryview:
        """Read bytes at any offset, from the medium and not from the page cache.

        :returns: a view that is good until this thread's next read.
        :raises ImageError: fewer bytes are there.
        """
        first, last = offset // BLOCK * BLOCK, -(-(offset + count) // BLOCK) * BLOCK
        view, got = self._buffer(last - first).view[: last - first], 0
        for place, size in self.pieces(first, last - first):
            more = self._read_piece(place, view[got : got + size])
            got += more
            if more < size:
                break
        if first + got < offset + count:
            raise ImageError(
                _("{path} ends at byte {first}").format(path=self.path, first=first + got), ident="HIB-E-TRUNCATED"
            )
        return view[offset - first : offset - first + count]

    def pieces(self, offset: int, count: int) -> Iterator[tuple[int, int]]:
        """Yield where bytes of the image lie in what is open, `(place, count)`."""
        yield offset, count

    def _read_piece(self, place: int, view: memoryview) -> int:
        """Fill a view; gives how many bytes were there."""
        if not self.direct:
            os.posix_fadvise(self.fd, place, len(view), os.POSIX_FADV_DONTNEED)
        got = 0
        while got < len(view) and (more := os.preadv(self.fd, [view[got:]], place + got)):
            got += more
        return got

    def _buffer(self, count: int) -> Buffer:
        """Return this thread's buffer, of at least `count` bytes."""
        buffer: Buffer | None = getattr(self.local, "buffer", None)
        if buffer is None or buffer.size < count:
            self.local.buffer = buffer = Buffer(max(-(-count // BLOCK) * BLOCK, BUFFER // 2))
        return buffer

    def read(self, offset: int, count: int) -> bytes:
        """Read bytes as `view` does, into memory of their own."""
        return bytes(self.view(offset, count))

    def write(self, offset: int, data: bytes) -> None:
        """Write bytes at a block boundary, padded with zeros to whole blocks."""
        assert offset % BLOCK == 0
        for at in range(0, len(data), BUFFER):
            part = data[at : at + BUFFER]
            padded = -(-len(part) // BLOCK) * BLOCK
            buffer = self._buffer(padded)
            buffer.put(0, part.ljust(padded, b"\0"))
            self.write_buffer(offset + at, buffer, padded)

    def write_buffer(self, offset: int, buffer: Buffer, count: int) -> None:
        """Write the first `count` bytes of a buffer, which are whole blocks.

        :raises OSError: as the medium says; the image is then bad as a whole.
        """
        written = 0
        for place, size in self.pieces(offset, count):
            more = os.pwritev(self.fd, [buffer.view[written : written + size]], place)
            written += more
            if more != size:
                break
        if written != count:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))

    def flush(self) -> None:
        """Make all that was written durable, through the medium's own cache.

        :raises OSError: it is not durable, and asking again would not tell.
        """
        os.fsync(self.fd)
