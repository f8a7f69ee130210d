"""Reading the payload: verify each frame, decompress it, and put its bytes where they belong.

No byte reaches memory before the digest of its frame was found right, in the same pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import xxhash

from khib_tui.errors import ImageError
from khib_tui.image import vmcore
from khib_tui.image.codec import decompress
from khib_tui.image.manifest import DISCARD_HINT, Frame, Manifest
from khib_tui.image.pipeline import ordered, workers
from khib_tui.image.store import BUFFER, Store
from khib_tui.jump.devmem import PhysicalMemory, Window
from khib_tui.ranges import Ranges
from khib_tui.units import MIB


class Filler(Protocol):
    """Takes the content of physical memory."""

    def put(self, start: int, data: memoryview) -> None:
        """Put bytes at a physical address."""

    def zero(self, start: int, count: int) -> None:
        """Make bytes zero."""


class MemoryFiller:
    """Writes into /dev/mem, through one sliding window.

    :param allowed: the ranges that may be written; a window never crosses their edges.
    """

    def __init__(self, memory: PhysicalMemory, allowed: Ranges) -> None:
        self.window = Window(memory, allowed)

    def put(self, start: int, data: memoryview) -> None:
        """Put bytes at a physical address."""
        at = 0
        while at < len(data):
            at += self.window.store(start + at, data[at:])

    def zero(self, start: int, count: int) -> None:
        """Make bytes zero."""
        block = memoryview(bytes(MIB))
        for at in range(0, count, MIB):
            self.put(start + at, block[: min(MIB, count - at)])

    def close(self) -> None:
        """Unmap."""
        self.window.close()


def stored_frames(store: Store, frames: Sequence[Frame]) -> Iterator[tuple[Frame, bytes]]:
    """Read frames in order, by large reads."""
    group: list[Frame] = []
    for frame in frames:
        if group and frame.offset + frame.stored - group[0].offset > BUFFER:
            yield from _read_group(store, group)
            group = []
        group.append(frame)
    if group:
        yield from _read_group(store, group)


def _read_group(store: Store, group: list[Frame]) -> Iterator[tuple[Frame, bytes]]:
    start = group[0].offset
    data = store.read(start, group[-1].offset + group[-1].stored - start)
    for frame in group:
        yield frame, data[frame.offset - start : frame.offset - start + frame.stored]


def plain_frames(store: Store, manifest: Manifest, frames: Sequence[Frame]) -> Iterator[bytes]:
    """Give the verified content of each frame in order.

    :raises ImageError: a frame is not what the index says; its offset is in the text.
    """

    def open_frame(item: tuple[Frame, bytes]) -> bytes:
        frame, stored = item
        if xxhash.xxh3_128_digest(stored) != frame.digest:
            raise ImageError(f"the image is damaged at byte {frame.offset}", hint=DISCARD_HINT, ident="HIB-E-DAMAGED")
        return decompress(manifest.codec, stored, frame.raw)

    return ordered(open_frame, stored_frames(store, frames), workers() + 1)


def unfold(pieces: Iterator[bytes], saved: Ranges, filler: Filler, progress: Callable[[int], None]) -> int:
    """Put the content of a vmcore into memory.

    :param saved: what may be written, and what must be covered whole.
    :returns: bytes of memory filled, zeros included.
    :raises ImageError: the vmcore is malformed, cut off, or does not cover `saved` exactly.
    """
    cursor = Cursor(pieces)
    head = cursor.head()
    placed = vmcore.parse(head)
    covered = Ranges.of((item.run.start, item.run.start + item.run.memsz) for item in placed)
    if covered != saved:
        raise ImageError("the image does not hold exactly the memory it should", ident="HIB-E-COVER")
    for item in placed:
        run = item.run
        for start, data in cursor.take(item.offset, run.filesz):
            filler.put(run.start + start, data)
            progress(len(data))
        if run.memsz > run.filesz:
            filler.zero(run.start + run.filesz, run.memsz - run.filesz)
            progress(run.memsz - run.filesz)
    cursor.drain()
    return covered.total


class Cursor:
    """Walks forward over a stream of pieces by file offset."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.pieces = pieces
        self.offset = 0
        self.piece = memoryview(b"")

    def head(self) -> bytes:
        """Read all program headers, and keep what follows them for `take`.

        :raises ImageError: the stream ends before.
        """
        data = self._next_bytes()
        while len(data) < (end := vmcore.headers_end(data)):
            more = self._next_bytes()
            if not more:
                raise ImageError(f"the vmcore ends at byte {len(data)} of {end} of its headers", ident="HIB-E-VMCORE")
            data += more
        self.piece, self.offset = memoryview(data), 0
        return data

    def _next_bytes(self) -> bytes:
        return next(self.pieces, b"")

    def take(self, offset: int, count: int) -> Iterator[tuple[int, memoryview]]:
        """Give `(position, bytes)` pieces of `count` bytes at a file offset that is not behind us.

        :raises ImageError: the stream ends before.
        """
        end = offset + count
        at = offset
        while at < end:
            while at >= self.offset + len(self.piece):
                self._advance(at)
            inner = at - self.offset
            data = self.piece[inner : inner + end - at]
            yield at - offset, data
            at += len(data)

    def _advance(self, wanted: int) -> None:
        self.offset += len(self.piece)
        self.piece = memoryview(self._next_bytes())
        if not self.piece:
            raise ImageError(f"the vmcore ends before byte {wanted}", ident="HIB-E-TRUNCATED")

    def drain(self) -> None:
        """Go to the end, so that every frame is verified even if nothing of it is needed."""
        for _ in self.pieces:
            pass
