"""What a payload is made of: the vmcore file, cut into parts of a frame, and copied out of memory part by part."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from msgspec import Struct

from khib_tui.formats import vmcore
from khib_tui.image.codec import FRAME
from khib_tui.linux.buffers import Buffer, move
from khib_tui.linux.devmem import Mappings


class Part(Struct, frozen=True):
    """One frame before it is made: bytes of the ELF headers, then spans of physical memory."""

    number: int
    last: bool
    head: bytes
    spans: tuple[tuple[int, int], ...]

    @property
    def size(self) -> int:
        """Bytes of it."""
        return len(self.head) + sum(end - start for start, end in self.spans)


class Gatherer:
    """Copies the content of parts out of memory; called from several threads.

    A device that was not quite silenced may still write to its buffers in A's memory. A codec that looked at the memory
    itself while that happens could make other bytes of the frame wrong too; of a copy, only those bytes are.
    """

    def __init__(self, windows: Mappings) -> None:
        self.windows = windows
        self.local = threading.local()

    def pour(self, part: Part, into: Sequence[tuple[int, int]]) -> None:
        """Copy a part that has no head to addresses in this process, each with so many bytes of room, which it fills."""
        rooms = iter(into)
        to, room = 0, 0
        for address, count in self.windows.pieces(part.spans):
            done = 0
            while done < count:
                if not room:
                    to, room = next(rooms)
                take = min(room, count - done)
                move(to, address + done, take)
                to, room, done = to + take, room - take, done + take

    def filled(self, part: Part) -> tuple[Buffer, int]:
        """Return this thread's buffer, and how many bytes of it are the part's."""
        if not hasattr(self.local, "buffer"):
            self.local.buffer = Buffer(FRAME)
        buffer: Buffer = self.local.buffer
        buffer.put(0, part.head)
        fill = len(part.head)
        for address, count in self.windows.pieces(part.spans):
            if fill + count > FRAME:
                raise ValueError(f"part {part.number} is larger than a frame")
            move(buffer.address + fill, address, count)
            fill += count
        return buffer, fill


def parts(head: bytes, placed: Sequence[vmcore.Placed]) -> Iterator[Part]:
    """Cut the vmcore file into parts of exactly one frame, but for the last."""
    total = len(head) + sum(item.run.filesz for item in placed)
    count = -(-total // FRAME)
    whole = len(head) // FRAME
    for number in range(whole):
        yield Part(number, number == count - 1, head[number * FRAME : (number + 1) * FRAME], ())
    rest, spans, room = head[whole * FRAME :], [], FRAME - len(head) % FRAME
    number = whole
    for item in placed:
        at, end = item.run.start, item.run.start + item.run.filesz
        while at < end:
            take = min(room, end - at)
            spans.append((at, at + take))
            at, room = at + take, room - take
            if not room:
                yield Part(number, number == count - 1, rest, tuple(spans))
                number, rest, spans, room = number + 1, b"", [], FRAME
    if rest or spans:
        yield Part(number, True, rest, tuple(spans))
