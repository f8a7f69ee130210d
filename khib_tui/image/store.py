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
from queue import Empty, SimpleQueue
from typing import Self

from khib_tui import files
from khib_tui.errors import ImageError
from khib_tui.linux.buffers import Buffer
from khib_tui.model.units import MIB

BLOCK = 4096
BUFFER = 4 * MIB
# Seconds between looks at whether the thread that writes has died.
_LOOK = 0.5
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
            raise ImageError(f"{self.path} ends at byte {first + got}", ident="HIB-E-TRUNCATED")
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


class Stream:
    """Appends bytes from an offset on, gathered into large aligned writes that a thread of its own carries out.

    A failed write shows at a later `append` or at `finish`.
    """

    def __init__(self, store: Store, offset: int, buffers: int = 3) -> None:
        assert offset % BLOCK == 0
        self.store, self.handed, self.fill = store, offset, 0
        self.free, self.full = SimpleQueue[Buffer](), SimpleQueue[tuple[int, Buffer, int] | None]()
        for _ in range(buffers):
            self.free.put(Buffer(BUFFER))
        self.buffer = self.free.get()
        self.failure: BaseException | None = None
        self.written = offset
        self.writer = threading.Thread(target=self._write, daemon=True)
        self.writer.start()

    @property
    def position(self) -> int:
        """Where the next byte goes."""
        return self.handed + self.fill

    @property
    def behind(self) -> bool:
        """Return whether the medium is slower than what is appended: a full buffer waits for it."""
        return not self.full.empty()

    def append(self, data: bytes | memoryview) -> None:
        """Add bytes; full buffers are written.

        :raises OSError: an earlier write failed.
        """
        view, at = memoryview(data), 0
        while at < len(view):
            take = min(BUFFER - self.fill, len(view) - at)
            self.buffer.put(self.fill, view[at : at + take])
            self.fill += take
            at += take
            if self.fill == BUFFER:
                self._hand_over(BUFFER)

    def _hand_over(self, count: int) -> None:
        self.full.put((self.handed, self.buffer, count))
        self.handed, self.fill = self.handed + count, 0
        self.buffer = self._emptied()
        if self.failure:
            raise self.failure

    def _emptied(self) -> Buffer:
        """Wait for a buffer that was written.

        :raises OSError: the thread that writes has died.
        """
        while True:
            try:
                return self.free.get(timeout=_LOOK)
            except Empty:
                if not self.writer.is_alive():
                    raise self._died() from None

    def _died(self) -> OSError:
        return OSError(errno.EIO, "the thread that writes has died", os.fspath(self.store.path))

    def _write(self) -> None:
        while item := self.full.get():
            offset, buffer, count = item
            try:
                if not self.failure:
                    self.store.write_buffer(offset, buffer, count)
                    self.written += count
            except BaseException as error:  # raised again in the thread that appends
                self.failure = error
            self.free.put(buffer)

    def finish(self) -> int:
        """Write what is left, padded to a block, and wait for all; gives the offset after it.

        :raises OSError: a write failed.
        """
        if self.fill:
            padded = -(-self.fill // BLOCK) * BLOCK
            self.buffer.view[self.fill : padded] = bytes(padded - self.fill)
            self._hand_over(padded)
        self.close()
        if self.failure:
            raise self.failure
        if self.written != self.handed:
            raise self._died()
        return self.handed

    def close(self) -> None:
        """Let no write be under way any more, whatever became of it or interrupts."""
        failure: BaseException | None = None
        while self.writer.is_alive():
            try:
                self.full.put(None)
                self.writer.join(_LOOK)
            except BaseException as error:
                failure = error
        if failure:
            raise failure
