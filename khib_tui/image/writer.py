"""Writing the payload: gather runs into frames, compress, seal, digest and write them on all processors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import xxhash
from msgspec import Struct

from khib_tui.image.codec import LEVELS, Codec, compress, seek_table
from khib_tui.image.effort import QUICK, STORE, Law
from khib_tui.image.header import PAYLOAD_OFFSET
from khib_tui.image.manifest import Frame
from khib_tui.image.parts import Gatherer, Part
from khib_tui.image.store import Store
from khib_tui.image.stored import Layout, frame_size, layout
from khib_tui.image.stream import PIECE, Place, Stream
from khib_tui.image.threads import InOrder, keep_memory, together, workers
from khib_tui.linux.buffers import address_of, move
from khib_tui.seal.crypto import Sealer

# Frames made before their turn, for each thread.
AHEAD = 2

Made = tuple[bytes, int, bytes]


class Written(Struct, frozen=True):
    """What was written: the frames in order, the size of what they hold, and where the next block begins."""

    frames: list[Frame]
    raw_size: int
    size: int
    next_block: int


class Maker(Struct, frozen=True):
    """Makes frames of parts; called from several threads.

    :param least: the least effort.
    :param known: seconds that the quickest compression takes for a frame, and its stored bytes, if that is known.
    """

    gatherer: Gatherer
    codec: Codec
    sealer: Sealer | None = None
    least: int = QUICK
    known: tuple[float, float] | None = None

    def make(self, part: Part, effort: int) -> Made:
        """Gather, compress, seal and digest; gives what is stored, the size of its content, and its digest."""
        buffer, size = self.gatherer.filled(part)
        stored = compress(self.codec, buffer.view[:size], effort)
        if self.sealer is not None:
            stored = self.sealer.seal(part.number, part.last, stored)
        return stored, size, xxhash.xxh64_digest(stored)

    def law(self) -> Law:
        """Return what chooses the effort of frames."""
        most = len(LEVELS[self.codec])
        return Law(PIECE, most, min(self.least, most), workers(), self.known)


class Task(Struct, frozen=True):
    """A part, with what effort its frame is made, and its places if it is stored and its turn has come."""

    part: Part
    effort: int
    places: Sequence[Place] = ()


def write_payload(store: Store, maker: Maker, given: Iterator[Part], progress: Callable[[int, int], None]) -> Written:
    """Write all parts as frames; a seek table follows them if they have a codec and are not sealed.

    :param progress: told after each frame how many bytes it held, and how many the payload has so far; may raise to stop.
    :raises OSError: a write failed.
    """
    keep_memory()
    stream = Stream(store, PAYLOAD_OFFSET)
    try:
        frames = Frames(stream, maker).write(given, lambda held: progress(held, stream.position - PAYLOAD_OFFSET))
        if maker.sealer is None and maker.codec is not Codec.NONE:
            stream.append(seek_table((frame.stored, frame.raw) for frame in frames))
        size = stream.position - PAYLOAD_OFFSET
        return Written(frames, sum(frame.raw for frame in frames), size, stream.finish())
    finally:
        stream.close()


class Frames:
    """The frames of a payload on their way into a stream."""

    def __init__(self, stream: Stream, maker: Maker) -> None:
        self.stream, self.maker, self.law = stream, maker, maker.law()
        self.order = InOrder(self._add, AHEAD * workers())
        self.frames: list[Frame] = []

    def write(self, given: Iterator[Part], progress: Callable[[int], None]) -> list[Frame]:
        """Write all of them."""
        together(self._work, map(self._task, given), workers(), progress, self._give_up)
        self.order.refuse_gaps()
        return self.frames

    def _give_up(self) -> None:
        self.stream.give_up()
        self.order.give_up()

    def _task(self, part: Part) -> Task:
        """Choose the effort for a part; called for one part after the other."""
        effort = self.law.choose(self.stream.waiting, *self.stream.rates)
        if effort > STORE or self.maker.sealer is not None or part.head:
            return Task(part, effort)
        return Task(part, effort, self.order.at_once(part.number, lambda: self._reserve(part)) or ())

    def _reserve(self, part: Part) -> list[Place]:
        size = part.size
        stored = frame_size(self.maker.codec, size)
        self.frames.append(Frame(self.stream.position, stored, size, b""))
        return self.stream.reserve(stored)

    def _work(self, task: Task) -> int:
        part = task.part
        if task.places:
            return self._gather(part, task.places)
        self.order.wait(part.number)
        began = time.perf_counter()
        made = self.maker.make(part, task.effort)
        self.law.learn(task.effort, time.perf_counter() - began, len(made[0]))
        self.order.give(part.number, made)
        return made[1]

    def _gather(self, part: Part, places: Sequence[Place]) -> int:
        """Store a part: copy it from memory right to where it is written from."""
        size = self.frames[part.number].raw
        self.maker.gatherer.pour(part, spread(layout(self.maker.codec, size), places))
        digest = xxhash.xxh64()
        for place in places:
            digest.update(place.view)
        self.frames[part.number] = self.frames[part.number]._replace(digest=digest.digest())
        self.stream.fill(places)
        return size

    def _add(self, made: Made) -> None:
        stored, raw, digest = made
        self.frames.append(Frame(self.stream.position, len(stored), raw, digest))
        self.stream.append(stored)


def spread(frame: Layout, places: Sequence[Place]) -> list[tuple[int, int]]:
    """Put what stands between the pieces of a frame's content into its places; gives addresses and sizes of the rooms left."""
    rooms: list[tuple[int, int]] = []
    given = iter(places)
    at = room = 0

    def take(count: int) -> Iterator[tuple[int, int]]:
        nonlocal at, room
        while count:
            if not room:
                place = next(given)
                at, room = place.address, place.count
            some = min(room, count)
            yield at, some
            at, room, count = at + some, room - some, count - some

    for before, count in frame:
        start = address_of(before)
        for to, some in take(len(before)):
            move(to, start, some)
            start += some
        rooms += take(count)
    return rooms
