"""How hard a frame is compressed: as hard as the medium leaves time for.

What waits for the medium decides. While nothing does, frames are stored as they are, which costs the processors least; the
more waits, the harder is compressed. So what waits settles where processors and medium are both busy: between two efforts
that are next to each other, which take turns. An effort is a number: 0 stores, the others are the codec's levels.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp

STORE, QUICK = 0, 1
# A frame takes longer than it is expected to where threads are more than processors, or something else runs.
_MARGIN = 1.25
# So much longer an effort is expected to take than the one before it, while that is not known.
_STEP_UP = 2.5
_LEARNING = 0.2
# Seconds after which what a medium did counts a third.
_MEMORY = 0.25


class Flow:
    """How fast a medium takes what it is given, while it is given something.

    :param clock: gives seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.busy = 0
        self.mark = self.amount = self.seconds = 0.0

    def begin(self) -> None:
        """Note that the medium was given something more."""
        if not self.busy:
            self.mark = self.clock()
        self.busy += 1

    def end(self, count: int) -> None:
        """Note that it has taken `count` bytes, or has made what it had durable."""
        now = self.clock()
        fading = exp(-(now - self.mark) / _MEMORY)
        self.amount, self.seconds = self.amount * fading + count, self.seconds * fading + now - self.mark
        self.busy, self.mark = self.busy - 1, now

    @property
    def rate(self) -> float:
        """Bytes a second of late, what it keeps somebody waiting for now included; 0 as long as nothing is known."""
        seconds = self.seconds + (self.clock() - self.mark if self.busy else 0.0)
        return self.amount / seconds if seconds > 0 else 0.0


class Law:
    """Chooses the effort for each frame.

    :param step: bytes that wait more for the next effort.
    :param least, most: the efforts that may be chosen.
    :param expected: seconds that a frame takes with the effort `QUICK`; 0 if unknown.
    """

    def __init__(self, step: int, most: int, least: int = STORE, expected: float = 0.0) -> None:
        self.step, self.least, self.most = step, least, most
        self.seconds = {QUICK: expected} if expected else {}

    def choose(self, waiting: int, rate: float) -> int:
        """Return the hardest effort that what waits allows, and with which a frame is ready before all that is written.

        :param waiting: bytes that wait for the medium.
        :param rate: bytes a second that it takes.
        """
        effort = min(waiting // self.step, self.most)
        while effort > self.least and self.lasting(effort) * rate * _MARGIN > waiting:
            effort -= 1
        return max(effort, self.least)

    def lasting(self, effort: int) -> float:
        """Return the seconds that a frame is expected to take."""
        if effort < QUICK:
            return 0.0
        return self.seconds[effort] if effort in self.seconds else self.lasting(effort - 1) * _STEP_UP

    def learn(self, effort: int, seconds: float) -> None:
        """Note how long a frame took with an effort."""
        if effort >= QUICK:
            known = self.seconds.get(effort, seconds)
            self.seconds[effort] = known + (seconds - known) * _LEARNING
