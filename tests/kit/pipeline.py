"""A model of saving: threads, frames in order, pieces and a medium, in simulated time, ruled by the real `Law` and `Flow`."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

from khib_tui.image.effort import STORE, Flow, Law
from khib_tui.image.stream import FIRST_FLUSH, FLUSH_BYTES, FLUSH_SECONDS, PIECE, PIECES, WRITERS
from khib_tui.image.writer import AHEAD
from khib_tui.model.units import MIB

# A process waits for seconds, or for something to be so.
Process = Generator[float | Callable[[], bool], None, None]


@dataclass(frozen=True)
class Content:
    """A frame of some content: seconds to make it and to open it, and its bytes, by effort."""

    making: tuple[float, ...]
    opening: tuple[float, ...]
    size: tuple[int, ...]


@dataclass
class Medium:
    """Takes bytes at a speed that changes with time; a cache takes some at once, and gives them on.

    :param speeds: pairs of the second until which a speed holds, and bytes a second; the last one holds on.
    """

    speeds: Sequence[tuple[float, float]]
    cache: int = 0
    burst: float = 1.0
    free_at: float = 0.0
    cached: float = 0.0
    at: float = 0.0

    def transfer(self, begin: float, count: float) -> float:
        """Return when `count` bytes are over that begin at a time."""
        for until, speed in self.speeds:
            if begin + count / speed <= until:
                return begin + count / speed
            if begin < until:
                count -= (until - begin) * speed
                begin = until
        return begin + count / self.speeds[-1][1]

    def write(self, now: float, count: int) -> float:
        """Return when a write is taken that is given now."""
        begin = max(now, self.free_at)
        if not self.cache:
            self.free_at = self.transfer(begin, count)
            return self.free_at
        base = self.speeds[-1][1]
        self.cached = max(self.cached - (begin - self.at) * base, 0.0) + count
        wait = max(self.cached - self.cache, 0.0) / base
        self.free_at = self.at = begin + count / self.burst + wait
        self.cached = max(self.cached - (self.free_at - begin) * base, 0.0)
        return self.free_at

    def flush(self, now: float) -> float:
        """Return when all that was taken is durable."""
        begin = max(now, self.free_at)
        self.free_at = self.at = begin + self.cached / self.speeds[-1][1]
        self.cached = 0.0
        return self.free_at


@dataclass
class Saving:
    """One saving in simulated time."""

    contents: Sequence[Content]
    medium: Medium
    law: Law
    threads: int
    now: float = 0.0
    taken: int = 0
    placed: int = 0
    position: int = 0
    written: int = 0
    queued: int = 0
    under_way: int = 0
    flushed: float = 0.0
    durable: int = 0
    flush_after: int = FIRST_FLUSH
    ended: int = 0
    taking: bool = False
    kept: dict[int, int] = field(default_factory=dict)
    efforts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.flow = Flow(lambda: self.now)

    def seconds(self) -> float:
        """Run it; gives the time until all is durable."""
        events: list[tuple[float, int, Process]] = []
        waiting: list[tuple[Callable[[], bool], Process]] = []
        ready = [self._worker() for _ in range(self.threads)] + [self._writer() for _ in range(WRITERS)]
        number = 0
        while ready or events:
            if not ready:
                self.now, _, process = heapq.heappop(events)
                ready.append(process)
            for process in ready:
                wanted = next(process, None)
                if callable(wanted):
                    waiting.append((wanted, process))
                elif wanted is not None:
                    heapq.heappush(events, (self.now + wanted, number, process))
                    number += 1
            ready = []
            for pair in list(waiting):
                if pair[0]():
                    waiting.remove(pair)
                    ready.append(pair[1])
                    break
        assert not waiting and self.written == self.position
        return self.medium.flush(self.now)

    def _room(self, count: int) -> Callable[[], bool]:
        return lambda: self.position + count <= self.written + PIECES * PIECE

    def _near(self, number: int) -> Callable[[], bool]:
        return lambda: number < self.placed + AHEAD * self.threads

    def _worker(self) -> Process:
        while self.taken < len(self.contents):
            yield lambda: not self.taking
            if self.taken == len(self.contents):
                break
            self.taking = True
            number, self.taken = self.taken, self.taken + 1
            content = self.contents[number]
            waiting = self.queued // PIECE * PIECE + self.flow.cached
            effort = self.law.choose(waiting, self.flow.rate, self.flow.average)
            self.efforts.append(effort)
            if effort == STORE and self.placed == number:
                yield self._room(content.size[STORE])
                self.position += content.size[STORE]
                self.placed += 1
                self.taking = False
                yield content.making[STORE]
                self.queued += content.size[STORE]
                continue
            self.taking = False
            yield self._near(number)
            yield content.making[effort]
            self.law.learn(effort, content.making[effort], content.size[effort])
            self.kept[number] = content.size[effort]
            while self.placed in self.kept:
                count = self.kept[self.placed]
                yield self._room(count)
                if self.placed in self.kept and self.kept[self.placed] == count:
                    self.position += self.kept.pop(self.placed)
                    self.placed += 1
                    self.queued += count
        self.ended += 1

    def _writer(self) -> Process:
        while True:
            yield lambda: self.queued >= PIECE or self.ended == self.threads
            count = min(self.queued, PIECE)
            if not count:
                return
            self.queued -= count
            self.flow.begin()
            yield self.medium.write(self.now, count) - self.now
            self.flow.end(count)
            self.written += count
            if self._due():
                began = self.now
                self.flow.begin()
                yield self.medium.flush(self.now) - self.now
                self.flow.end(0)
                self.flow.durable(began)

    def _due(self) -> bool:
        if self.written - self.durable < self.flush_after:
            return False
        if self.flush_after == FLUSH_BYTES and self.now - self.flushed < FLUSH_SECONDS:
            return False
        self.durable, self.flushed = self.written, self.now
        self.flush_after = min(self.flush_after * 2, FLUSH_BYTES)
        return True

    @property
    def stored(self) -> int:
        """Bytes of the image."""
        return self.position

    def restoring(self, medium: Medium) -> float:
        """Return the seconds to read it back from a medium, and to open all frames meanwhile."""
        opening = sum(content.opening[effort] for content, effort in zip(self.contents, self.efforts, strict=True))
        return max(medium.transfer(0.0, self.stored), opening / self.threads)


class Always(Law):
    """The same effort for each frame."""

    def __init__(self, effort: int) -> None:
        super().__init__(PIECE, effort, effort)

    def choose(self, waiting: int, rate: float, average: float) -> int:
        """Return it."""
        return self.most


@dataclass(frozen=True)
class Processor:
    """Seconds a MiB: to copy, and to make and open with each effort, of content that compresses, and of noise."""

    copying: float
    making: tuple[float, ...]
    opening: tuple[float, ...]
    noise: tuple[float, ...]
    # what is left of content that the first effort halves
    left: tuple[float, ...]
    base: float = 0.466

    def content(self, ratio: float) -> Content:
        """Return a frame of which so much is left with the first effort, of two if it is 1."""
        share = min(max((ratio - 0.5) * 2.1, 0.0), 1.0)
        making = [
            self.copying + made * (1 - share) + noise * share for made, noise in zip(self.making, self.noise, strict=True)
        ]
        shrinking = [1 - (1 - left / self.left[0]) * (1 - share) for left in self.left]
        sizes = [int(MIB * min(1.0, ratio * self.left[0] / self.base * more)) for more in shrinking]
        worth = [size <= MIB * 31 // 32 for size in sizes]
        opening = [time if good else self.copying for time, good in zip(self.opening, worth, strict=True)]
        return Content(
            (self.copying, *making),
            (self.copying, *opening),
            (MIB + 33, *(size if good else MIB + 33 for size, good in zip(sizes, worth, strict=True))),
        )


# As docs/performance.md has it of two real processors, and those emulated.
REAL_ZSTD = Processor(
    0.0002, (0.00175, 0.0024, 0.0036), (0.0006, 0.0009, 0.0009), (0.0005, 0.0008, 0.001), (0.466, 0.424, 0.373)
)  # fmt: skip
REAL_LZ4 = Processor(0.0002, (0.0016,), (0.0003,), (0.0003,), (0.532,))
EMULATED_ZSTD = Processor(0.0035, (0.03, 0.045, 0.07), (0.012, 0.016, 0.016), (0.012, 0.016, 0.03), (0.466, 0.424, 0.373))
EMULATED_LZ4 = Processor(0.0035, (0.018,), (0.004,), (0.006,), (0.532,))


def ratios(kind: str, count: int, dice: random.Random) -> list[float]:
    """Return what the first effort leaves of each frame of a memory."""
    if kind == "incompressible":
        return [dice.uniform(0.97, 1.0) for _ in range(count)]
    if kind == "compressible":
        return [dice.uniform(0.2, 0.6) for _ in range(count)]
    made: list[float] = []
    while len(made) < count:
        made += [dice.choice([0.1, 0.3, 0.5, 0.8, 1.0, 1.0])] * dice.randrange(1, 40)
    return made[:count]


def medium(kind: str, dice: random.Random) -> Medium:
    """Return a medium."""
    if kind == "fast":
        return Medium([(0.0, dice.uniform(0.8e9, 3e9))])
    if kind == "throttled":
        return Medium([(0.0, 100e6)])
    if kind == "cached":
        return Medium([(0.0, 100e6)], cache=128 * MIB, burst=1e9)
    at, speeds = 0.0, []
    for _ in range(1500):
        at += dice.uniform(0.005, 0.1)
        speeds.append((at, dice.choice([20e6, 100e6, 300e6, 800e6, 1.5e9])))
    return Medium(speeds)
