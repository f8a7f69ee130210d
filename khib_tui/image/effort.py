"""How hard a frame is compressed: as hard as the medium leaves time for.

What waits for the medium decides. While nothing does, frames are stored as they are, which costs the processors least; the
more waits, the harder is compressed. So what waits settles where processors and medium are both busy: between two efforts
that are next to each other, which take turns. Where a smaller frame saves more time at reading than it takes to make, it is
made in any case. An effort is a number: 0 stores, the others are the codec's levels.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp

from khib_tui.model.units import MIB

STORE, QUICK = 0, 1
# That of `image/codec`.
_FRAME = MIB
# Bytes that a medium has taken before its average means something.
_MEASURED = 16 * MIB
# A frame takes longer than it is expected to where threads are more than processors, or something else runs.
_MARGIN = 2.0
# So much longer an effort is expected to take than the one before it, while that is not known.
_STEP_UP = 2.5
_LEARNING = 0.2
# That a frame takes longer is learnt sooner: where something else runs, what is late costs more than what is large.
_LEARNING_LATE = 0.5
# A cache has taken something in if making it durable takes more than this share of the time.
_CACHED = 0.3
# Seconds that it may take although there is nothing to do.
_LATENCY = 0.1
# Seconds after which what a medium did counts a third.
_MEMORY = 0.25


class Flow:
    """How fast a medium takes what it is given, while it is given something, and what its own cache still has of it.

    :param clock: gives seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.busy = 0
        self.mark = self.amount = self.seconds = 0.0
        self.since = clock()
        self.taken = self.total = 0
        self.all_working = 0.0
        self.working = self.lasting = 0.0

    def begin(self) -> None:
        """Note that the medium was given something more."""
        if not self.busy:
            self.mark = self.clock()
        self.busy += 1

    def end(self, count: int) -> None:
        """Note that it has taken `count` bytes."""
        now = self.clock()
        fading = exp(-(now - self.mark) / _MEMORY)
        self.amount, self.seconds = self.amount * fading + count, self.seconds * fading + now - self.mark
        self.working += now - self.mark
        self.all_working += now - self.mark
        self.taken += count
        self.total += count
        self.busy, self.mark = self.busy - 1, now

    def durable(self, began: float) -> None:
        """Note that all it had taken is durable, which was asked for at a time, and was noted as given and taken too."""
        now = self.clock()
        emptying = now - began - _LATENCY
        self.lasting = self.taken / (self.working - _LATENCY) if emptying > (now - self.since) * _CACHED else 0.0
        self.since, self.taken, self.working = now, 0, 0.0

    @property
    def rate(self) -> float:
        """Bytes a second of late, what it keeps somebody waiting for now included; 0 as long as nothing is known."""
        seconds = self.seconds + (self.clock() - self.mark if self.busy else 0.0)
        return self.amount / seconds if seconds > 0 else 0.0

    @property
    def average(self) -> float:
        """Bytes a second that it took while it was given something; 0 as long as there is no measure."""
        return self.total / self.all_working if self.total >= _MEASURED and self.all_working > 0 else 0.0

    @property
    def cached(self) -> int:
        """Bytes that it has taken faster than they can be durable, as far as is known."""
        return max(int(self.taken - self.lasting * (self.clock() - self.since)), 0) if self.lasting else 0


class Law:
    """Chooses the effort for each frame.

    :param step: bytes that wait more for the next effort.
    :param least, most: the efforts that may be chosen.
    :param threads: so many make frames side by side.
    :param known: seconds that a frame takes with the effort `QUICK`, and its stored bytes, if that is known.
    """

    def __init__(
        self, step: int, most: int, least: int = STORE, threads: int = 1, known: tuple[float, float] | None = None
    ) -> None:
        self.step, self.least, self.most, self.threads = step, least, most, threads
        self.known = {QUICK: known} if known else {}

    def choose(self, waiting: int, rate: float, average: float) -> int:
        """Return the hardest effort that what waits allows, and with which the medium is not left without work.

        :param waiting: bytes that wait for the medium.
        :param rate: bytes a second that it takes now.
        :param average: bytes a second that it took all the time; 0 if that means nothing yet.
        """
        effort, floor = min(waiting // self.step, self.most), self.floor(average)
        while effort > floor and self.drained(effort, rate) > waiting:
            effort -= 1
        return max(effort, floor)

    def floor(self, average: float) -> int:
        """Return the effort that is worth it even if the medium has to wait, as what is smaller is read back sooner."""
        if not average:
            return self.least
        efforts = [effort for effort in self.known if effort >= self.least]
        costs = {effort: self.known[effort][0] / self.threads + self.known[effort][1] / average for effort in efforts}
        if self.least == STORE:
            costs[STORE] = _FRAME / average
        return min(costs, key=lambda effort: costs[effort], default=self.least)

    def drained(self, effort: int, rate: float) -> float:
        """Return the bytes that the medium takes while frames are made with an effort, beyond those the other threads make."""
        seconds, stored = self.expected(effort)
        return seconds * rate * _MARGIN - (self.threads - 1) * stored

    def expected(self, effort: int) -> tuple[float, float]:
        """Return the seconds that a frame is expected to take, and its stored bytes."""
        if effort < QUICK:
            return 0.0, _FRAME
        if effort in self.known:
            return self.known[effort]
        seconds, stored = self.expected(effort - 1)
        return seconds * _STEP_UP, stored

    def learn(self, effort: int, seconds: float, stored: int) -> None:
        """Note how long a frame took with an effort, and what was stored of it."""
        if effort >= QUICK:
            before, size = self.known.get(effort, (seconds, stored))
            share = _LEARNING_LATE if seconds > before else _LEARNING
            self.known[effort] = before + (seconds - before) * share, size + (stored - size) * _LEARNING
