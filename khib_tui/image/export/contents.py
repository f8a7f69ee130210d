"""Random access to the physical memory that a vmcore holds, be it an image's payload or a plain file."""

from __future__ import annotations

import os
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Protocol

from khib_tui import files
from khib_tui.errors import ImageError
from khib_tui.formats import vmcore
from khib_tui.i18n import _
from khib_tui.image.codec import FRAME
from khib_tui.image.reader import Payload
from khib_tui.model.ranges import Ranges

KEEP = 24


class File(Protocol):
    """The bytes of a vmcore; read by several threads."""

    def read(self, offset: int, count: int) -> bytes:
        """Return `count` bytes at `offset`; fewer at the end."""


class FrameFile:
    """The decompressed payload of an image; the frames used last are kept.

    :param keep: how many.
    """

    def __init__(self, payload: Payload, keep: int = KEEP) -> None:
        self.payload, self.keep = payload, keep
        self.kept: OrderedDict[int, bytes] = OrderedDict()
        self.locks = [threading.Lock() for _ in range(16)]
        self.lock = threading.Lock()

    @property
    def size(self) -> int:
        """How many bytes the vmcore has."""
        return sum(frame.raw for frame in self.payload.frames)

    def read(self, offset: int, count: int) -> bytes:
        """Return `count` bytes at `offset`; fewer at the end.

        :raises ImageError: a frame is damaged.
        """
        parts = []
        last = min(-(-(offset + count) // FRAME), len(self.payload.frames))
        for number in range(offset // FRAME, last):
            base = number * FRAME
            parts.append(self._frame(number)[max(offset - base, 0) : offset + count - base])
        return b"".join(parts)

    def _frame(self, number: int) -> bytes:
        with self.locks[number % len(self.locks)]:
            with self.lock:
                if number in self.kept:
                    self.kept.move_to_end(number)
                    return self.kept[number]
            data = self.payload.open(number)
            with self.lock:
                self.kept[number] = data
                if len(self.kept) > self.keep:
                    self.kept.popitem(last=False)
            return data


class PlainFile:
    """A vmcore as an ordinary file, or from the first byte of a block device.

    :param root: `path` is below this folder of a filesystem that others wrote; no link is followed.
    :raises OSError: it cannot be opened.
    """

    def __init__(self, path: Path, root: Path | None = None) -> None:
        if root is None:
            self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        else:
            self.fd = files.open_beneath(root, os.fspath(path), os.O_RDONLY)

    @property
    def size(self) -> int:
        """How many bytes the file has."""
        return os.lseek(self.fd, 0, os.SEEK_END)

    def read(self, offset: int, count: int) -> bytes:
        """Return `count` bytes at `offset`; fewer at the end, and none behind it."""
        parts = []
        count = max(min(count, self.size - offset), 0)
        while count and (part := os.pread(self.fd, count, offset)):
            parts.append(part)
            offset, count = offset + len(part), count - len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Close the file."""
        os.close(self.fd)


def read_head(file: File) -> bytes:
    """Read the ELF header and all program headers.

    :raises ImageError: it is no vmcore of x86-64, or is cut off.
    """
    data = file.read(0, FRAME)
    while (end := vmcore.headers_end(data)) > len(data):  # twice at most: the first may only be a guess of how many there are
        more = file.read(0, end)
        if len(more) < end:
            raise ImageError(_("the vmcore ends in its headers"), ident="HIB-E-VMCORE")
        data = more
    return data


class Contents:
    """The physical memory that a vmcore holds, by the addresses it was saved from.

    Memory is *content* (bytes in the file), *zero* (a run's tail) or *absent* (in no run: it was free, or is no RAM).
    """

    def __init__(self, file: File, placed: Sequence[vmcore.Placed]) -> None:
        self.file = file
        self.placed = list(placed)
        self.starts = [item.run.start for item in placed]

    @cached_property
    def content(self) -> Ranges:
        """Memory with bytes in the file."""
        return Ranges.of((item.run.start, item.run.start + item.run.filesz) for item in self.placed)

    @cached_property
    def present(self) -> Ranges:
        """Memory in any run: content and zeros."""
        return Ranges.of((item.run.start, item.run.start + item.run.memsz) for item in self.placed)

    def read(self, start: int, count: int) -> bytes:
        """Return `count` bytes at a physical address; what is zero or absent reads as zero.

        :raises ImageError: the file is damaged or cut off.
        """
        parts: list[bytes] = []
        at, end = start, start + count
        for item in islice(self.placed, max(bisect_right(self.starts, start) - 1, 0), None):
            run = item.run
            if run.start >= end:
                break
            low, high = max(run.start, at), min(run.start + run.filesz, end)
            if low >= high:
                continue
            data = self.file.read(item.offset + low - run.start, high - low)
            if len(data) < high - low:
                raise ImageError(_("the vmcore is cut off"), ident="HIB-E-TRUNCATED")
            parts += [bytes(low - at), data]
            at = high
        return b"".join([*parts, bytes(end - at)])


def of_payload(payload: Payload) -> Contents:
    """Open the memory that an image holds.

    :raises ImageError: its headers are damaged.
    """
    file = FrameFile(payload)
    return Contents(file, vmcore.parse(read_head(file)))
