"""Reading the payload: verify each frame, decompress it, and put its bytes where they belong, on all processors.

No byte reaches memory before the digest of its frame was found right, in the same pass. Frames are independent, so they
are read, verified, decompressed and placed side by side and in any order; only success of all of them counts.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import Protocol

import xxhash
from msgspec import Struct

from khib_tui.errors import ImageError
from khib_tui.formats import vmcore
from khib_tui.i18n import _
from khib_tui.image.codec import FRAME, decompress
from khib_tui.image.manifest import DISCARD_HINT, Frame, Manifest
from khib_tui.image.store import Store
from khib_tui.image.threads import keep_memory, together, workers
from khib_tui.linux.buffers import address_of, clear, move
from khib_tui.linux.devmem import Mappings, PhysicalMemory
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB
from khib_tui.seal.crypto import Sealer

# These wait for the medium while as many threads as there are processors compute.
EXTRA_READERS = 2
READ_AT_ONCE = 6 * MIB
# What is mapped stays mapped, up to 1 GiB: 2 MiB of page tables.
KEPT_WINDOWS = 16

Span = tuple[int, int]


class Filler(Protocol):
    """Takes the content of physical memory; called from several threads."""

    def put(self, spans: Sequence[Span], data: memoryview) -> None:
        """Put bytes, one behind the other, into spans of physical memory that have room for just these."""

    def zero(self, start: int, end: int) -> None:
        """Make memory zero."""


class MemoryFiller:
    """Writes into /dev/mem.

    :param allowed: the ranges that may be written; a window never crosses their edges.
    """

    def __init__(self, memory: PhysicalMemory, allowed: Ranges) -> None:
        self.windows = Mappings(memory, allowed, KEPT_WINDOWS)

    def put(self, spans: Sequence[Span], data: memoryview) -> None:
        """Put bytes into spans of physical memory.

        :raises ValueError: there is other room than for just these.
        """
        if sum(end - start for start, end in spans) != len(data):
            raise ValueError(f"{len(data)} bytes do not fill {spans}")
        source = address_of(data)
        for address, count in self.windows.pieces(spans):
            move(address, source, count)
            source += count

    def zero(self, start: int, end: int) -> None:
        """Make memory zero."""
        for address, count in self.windows.pieces(((start, end),)):
            clear(address, count)

    def close(self) -> None:
        """Unmap."""
        self.windows.close()


class Nowhere:
    """A filler that only lets everything be verified."""

    def put(self, spans: Sequence[Span], data: memoryview) -> None:
        """Take bytes."""

    def zero(self, start: int, end: int) -> None:
        """Take zeros."""


class Payload(Struct, frozen=True):
    """The frames of an image, each of which can be opened by itself."""

    store: Store
    manifest: Manifest
    frames: Sequence[Frame]
    sealer: Sealer | None = None

    def open(self, number: int) -> bytes:
        """Read, verify and decompress one frame.

        :raises ImageError: it is not what the index says; its place is in the text.
        """
        return bytes(self.plain(number, self.stored(range(number, number + 1))[0]))

    def stored(self, numbers: range) -> list[memoryview]:
        """Read frames that follow one another at once, as they are stored; good until this thread's next read."""
        frames = self.frames[numbers.start : numbers.stop]
        start = frames[0].offset
        view = self.store.view(start, sum(frame.stored for frame in frames))
        return [view[frame.offset - start : frame.offset - start + frame.stored] for frame in frames]

    def plain(self, number: int, stored: memoryview) -> bytes | memoryview:
        """Verify, open and decompress a frame; what is not compressed is `stored` itself.

        :raises ImageError: it is not what the index says; its place is in the text.
        """
        frame = self.frames[number]
        if xxhash.xxh64_digest(stored) != frame.digest:
            raise ImageError(
                _("the image is damaged at byte {offset}").format(offset=frame.offset),
                hint=_(DISCARD_HINT),
                ident="HIB-E-DAMAGED",
            )
        if self.sealer:
            stored = memoryview(self.sealer.open(number, number == len(self.frames) - 1, stored))
        return decompress(self.manifest.codec, stored, frame.raw)

    def head(self) -> tuple[bytes, int]:
        """Open as many frames as hold all program headers; gives their content and how many they are.

        :raises ImageError: the payload ends before.
        """
        data = b""
        for number in range(len(self.frames)):
            data += self.open(number)
            if len(data) >= vmcore.headers_end(data):
                return data, number + 1
        raise ImageError(_("the vmcore ends in its headers"), ident="HIB-E-VMCORE")


class Places:
    """Where the bytes of a vmcore file belong in physical memory."""

    def __init__(self, placed: Sequence[vmcore.Placed]) -> None:
        held = [item for item in placed if item.run.filesz]
        self.offsets = [item.offset for item in held]
        self.ends = [item.offset + item.run.filesz for item in held]
        self.starts = [item.run.start for item in held]

    def put(self, filler: Filler, offset: int, data: memoryview) -> int:
        """Put a piece of the file that begins at `offset`; gives how many bytes of it belong anywhere."""
        total = 0
        for at, spans in self._joined(offset, offset + len(data)):
            count = sum(end - start for start, end in spans)
            filler.put(spans, data[at - offset : at - offset + count])
            total += count
        return total

    def _joined(self, offset: int, end: int) -> Iterator[tuple[int, list[Span]]]:
        """Yield the runs of a piece of the file: those behind one another in the file together, and where they begin in it."""
        spans: list[Span] = []
        begin = at = offset
        for number in range(max(bisect_right(self.offsets, offset) - 1, 0), bisect_left(self.offsets, end)):
            low, high = max(self.offsets[number], offset), min(self.ends[number], end)
            if low >= high:
                continue
            if low != at and spans:
                yield begin, spans
                spans = []
            if not spans:
                begin = low
            start = self.starts[number] + low - self.offsets[number]
            spans.append((start, start + high - low))
            at = high
        if spans:
            yield begin, spans


def unfold(payload: Payload, filler: Filler, progress: Callable[[int], None]) -> int:
    """Put the content of an image into memory.

    :param progress: told how many more bytes of the image's frames are read and used; may raise to stop.
    :returns: bytes of memory filled, zeros included.
    :raises ImageError: it is damaged, malformed, cut off, or does not cover what was to be saved but for the free pages.
    """
    keep_memory()
    head, opened = payload.head()
    placed = vmcore.parse(head)
    covered = Ranges.of((item.run.start, item.run.start + item.run.memsz) for item in placed)
    saved = payload.manifest.saved_ranges
    if not saved.covers(covered) or saved.total - covered.total != payload.manifest.free_bytes:
        raise ImageError(_("the image does not hold exactly the memory it should"), ident="HIB-E-COVER")
    refuse_missing_content(placed, sum(frame.raw for frame in payload.frames))
    places = Places(placed)
    filled = [places.put(filler, 0, memoryview(head))]
    opened_bytes = sum(frame.stored for frame in payload.frames[:opened])
    read: deque[int] = deque([opened_bytes])
    computing = threading.Semaphore(workers())

    def work(task: range | tuple[int, int]) -> int:
        if isinstance(task, tuple):
            with computing:
                filler.zero(*task)
            return task[1] - task[0]
        found = payload.stored(task)
        with computing:
            put = sum(
                places.put(filler, number * FRAME, memoryview(payload.plain(number, stored)))
                for number, stored in zip(task, found, strict=True)
            )
        read.append(sum(payload.frames[number].stored for number in task))
        return put

    def done(count: int) -> None:
        filled.append(count)
        progress(sum(read.popleft() for _ in range(len(read))))

    together(work, tasks(placed, opened, payload.frames), workers() + EXTRA_READERS, done)
    if sum(filled) != covered.total:
        raise ImageError(_("the image leaves memory unfilled"), hint=_(DISCARD_HINT), ident="HIB-E-COVER")
    return covered.total


def tasks(placed: Sequence[vmcore.Placed], first: int, frames: Sequence[Frame]) -> Iterator[range | tuple[int, int]]:
    """Yield what is to be done: frames that are read at once, and between them, while the medium is busy, ranges to clear."""
    for numbers, span in zip_longest(reads(first, frames), zeros(placed)):
        if numbers is not None:
            yield numbers
        if span is not None:
            yield span


def reads(first: int, frames: Sequence[Frame]) -> Iterator[range]:
    """Yield the numbers of frames from `first` on that are read at once."""
    at = first
    while at < len(frames):
        stop, amount = at, 0
        while stop < len(frames) and (stop == at or amount + frames[stop].stored <= READ_AT_ONCE):
            amount += frames[stop].stored
            stop += 1
        yield range(at, stop)
        at = stop


def zeros(placed: Sequence[vmcore.Placed]) -> Iterator[tuple[int, int]]:
    """Yield the ranges that must be zero, in pieces."""
    for item in placed:
        run = item.run
        for at in range(run.start + run.filesz, run.start + run.memsz, 8 * MIB):
            yield at, min(at + 8 * MIB, run.start + run.memsz)


def refuse_missing_content(placed: Sequence[vmcore.Placed], size: int) -> None:
    """Refuse a vmcore whose runs lie beyond its end.

    :raises ImageError: naming the end.
    """
    end = max((item.offset + item.run.filesz for item in placed if item.run.filesz), default=0)
    if end > size:
        raise ImageError(
            _("the vmcore ends at byte {size} instead of {end}").format(size=size, end=end), ident="HIB-E-TRUNCATED"
        )
