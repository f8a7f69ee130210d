"""Writing the payload: gather runs into frames, compress, seal, digest and write them on all processors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

import xxhash
from msgspec import Struct

from khib_tui.formats import vmcore
from khib_tui.image.codec import FRAME, Codec, Pace, compress, seek_table
from khib_tui.image.header import PAYLOAD_OFFSET
from khib_tui.image.manifest import Frame
from khib_tui.image.store import BLOCK, Store, Stream
from khib_tui.image.threads import InOrder, keep_memory, together, workers
from khib_tui.linux.buffers import Buffer, move
from khib_tui.linux.devmem import Mappings
from khib_tui.seal.crypto import Sealer

# Frames made before their turn, for each thread.
AHEAD = 2
# These wait for the medium while as many threads as there are processors gather.
EXTRA_WRITERS = 1


class Written(Struct, frozen=True):
    """What was written: the frames in order, the size of what they hold, and where the next block begins."""

    frames: list[Frame]
    raw_size: int
    size: int
    next_block: int


class Part(Struct, frozen=True):
    """One frame before it is made: bytes of the ELF headers, then spans of physical memory."""

    number: int
    last: bool
    head: bytes
    spans: tuple[tuple[int, int], ...]


class Gatherer:
    """Copies the content of parts out of memory; called from several threads.

    A device that was not quite silenced may still write to its buffers in A's memory. A codec that looked at the memory
    itself while that happens could make other bytes of the frame wrong too; of a copy, only those bytes are.
    """

    def __init__(self, windows: Mappings) -> None:
        self.windows = windows
        self.local = threading.local()

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


class Maker(Struct, frozen=True):
    """Makes frames of parts; called from several threads."""

    gatherer: Gatherer
    codec: Codec
    sealer: Sealer | None = None

    def make(self, part: Part, pace: Pace = Pace.QUICK) -> tuple[bytes, int, bytes]:
        """Gather, compress, seal and digest; gives what is stored, the size of its content, and its digest."""
        buffer, size = self.gatherer.filled(part)
        stored = compress(self.codec, buffer.view[:size], pace)
        if self.sealer is not None:
            stored = self.sealer.seal(part.number, part.last, stored)
        return stored, size, xxhash.xxh64_digest(stored)


def write_payload(store: Store, maker: Maker, given: Iterator[Part], progress: Callable[[int], None]) -> Written:
    """Write all parts as frames; a seek table follows them if they are compressed and not sealed.

    :param progress: told after each frame how many bytes it held; may raise to stop.
    :raises OSError: a write failed.
    """
    keep_memory()
    if maker.codec is Codec.NONE and maker.sealer is None:
        return _write_plain(store, maker.gatherer, given, progress)
    stream = Stream(store, PAYLOAD_OFFSET)
    try:
        frames = _append_frames(stream, maker, given, progress)
        if maker.sealer is None:
            stream.append(seek_table((frame.stored, frame.raw) for frame in frames))
        size = stream.position - PAYLOAD_OFFSET
        return Written(frames, sum(frame.raw for frame in frames), size, stream.finish())
    finally:
        stream.close()


def _append_frames(stream: Stream, maker: Maker, given: Iterator[Part], progress: Callable[[int], None]) -> list[Frame]:
    frames: list[Frame] = []

    def add(made: tuple[bytes, int, bytes]) -> None:
        stored, raw, digest = made
        frames.append(Frame(stream.position, len(stored), raw, digest))
        stream.append(stored)

    order = InOrder(add, AHEAD * workers())

    def work(part: Part) -> int:
        order.wait(part.number)
        made = maker.make(part, Pace.THOROUGH if stream.behind else Pace.QUICK)
        order.give(part.number, made)
        return made[1]

    together(work, given, workers(), progress, order.give_up)
    order.refuse_gaps()
    return frames


def _write_plain(store: Store, gatherer: Gatherer, given: Iterator[Part], progress: Callable[[int], None]) -> Written:
    """Write frames as they are: each has its place beforehand, so they are copied once, and written in any order."""
    frames: dict[int, Frame] = {}

    def work(part: Part) -> int:
        buffer, size = gatherer.filled(part)
        padded = -(-size // BLOCK) * BLOCK
        buffer.view[size:padded] = bytes(padded - size)
        offset = PAYLOAD_OFFSET + part.number * FRAME
        store.write_buffer(offset, buffer, padded)
        frames[part.number] = Frame(offset, size, size, xxhash.xxh64_digest(buffer.view[:size]))
        return size

    together(work, given, workers() + EXTRA_WRITERS, progress)
    size = sum(frame.raw for frame in frames.values())
    return Written([frames[number] for number in range(len(frames))], size, size, PAYLOAD_OFFSET + -(-size // BLOCK) * BLOCK)
