"""Writing the payload: gather runs into frames, compress, seal, digest on all processors; append in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import xxhash

from khib_tui.image import vmcore
from khib_tui.image.codec import FRAME, Codec, compress, seek_table
from khib_tui.image.manifest import Frame
from khib_tui.image.pipeline import InOrder, keep_memory, together, workers
from khib_tui.image.seal import Sealer
from khib_tui.image.store import Stream
from khib_tui.jump.buffers import Buffer, move
from khib_tui.jump.devmem import Windows

# Frames made before their turn, for each thread.
AHEAD = 2


@dataclass(frozen=True)
class Payload:
    """What was written: the frames in order, and the size of what they hold."""

    frames: list[Frame]
    raw_size: int


@dataclass(frozen=True)
class Part:
    """One frame before it is made: bytes of the ELF headers, then spans of physical memory."""

    number: int
    last: bool
    head: bytes
    spans: tuple[tuple[int, int], ...]


class Gatherer:
    """Copies the content of parts out of memory; called from several threads."""

    def __init__(self, windows: Windows) -> None:
        self.windows = windows
        self.local = threading.local()

    def gather(self, part: Part) -> memoryview:
        """Give the bytes of a part: a view that is good until this thread's next one."""
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
        return buffer.view[:fill]


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


@dataclass(frozen=True)
class Maker:
    """Makes frames of parts; called from several threads."""

    gatherer: Gatherer
    codec: Codec
    sealer: Sealer | None = None

    def make(self, part: Part) -> tuple[bytes, int, bytes]:
        """Gather, compress, seal and digest; gives what is stored, the size of its content, and its digest."""
        plain = self.gatherer.gather(part)
        stored = compress(self.codec, plain)
        if self.sealer is not None:
            stored = self.sealer.seal(part.number, part.last, stored)
        return stored, len(plain), xxhash.xxh64_digest(stored)


def write_payload(stream: Stream, maker: Maker, given: Iterator[Part], progress: Callable[[int], None]) -> Payload:
    """Write all parts as frames; a seek table follows them if they are compressed and not sealed.

    :param progress: told after each frame how many bytes it held; may raise to stop.
    """
    keep_memory()
    frames: list[Frame] = []

    def add(made: tuple[bytes, int, bytes]) -> None:
        stored, raw, digest = made
        frames.append(Frame(stream.position, len(stored), raw, digest))
        stream.append(stored)

    order = InOrder(add, AHEAD * workers())

    def work(part: Part) -> int:
        order.wait(part.number)
        made = maker.make(part)
        order.give(part.number, made)
        return made[1]

    together(work, given, workers(), progress, order.give_up)
    if maker.sealer is None and maker.codec is not Codec.NONE:
        stream.append(seek_table((frame.stored, frame.raw) for frame in frames))
    return Payload(frames, sum(frame.raw for frame in frames))
