"""A long piece of work that tells how far it is and can be asked to stop: what B and C do, and what screens draw."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from khib_tui.errors import Cancelled
from khib_tui.events.types import Progress, Sink, StageName
from khib_tui.i18n import _

T = TypeVar("T")


class Stop:
    """The user's wish to stop. Work looks at it where it can still stop without loss."""

    def __init__(self, poll: Callable[[], bool] | None = None) -> None:
        self.requested = False
        self.possible = True
        self.poll = poll

    def check(self) -> None:
        """Stop here if the user asked for it.

        :raises Cancelled: the user did.
        """
        if self.possible and (self.requested or (self.poll is not None and self.poll())):
            raise Cancelled(_("you stopped it"), ident="HIB-E-CANCELLED")

    def too_late(self) -> None:
        """From here on there is no stopping."""
        self.possible = False


Work = Callable[[Sink, Stop], T]


class Meter:
    """Turns "so many bytes are done" into Progress events with rate and time left, at most `per_second`.

    :param stop: looked at with each amount that is done; without it the work cannot be stopped.
    :param before: what an interrupted run has done; it counts, but not for the rate.
    :param clock: seconds, monotonic; for tests.

    `image` is how many bytes of the image were made of what is done.
    """

    def __init__(
        self, sink: Sink, stage: StageName, total: int, stop: Stop | None = None, *, unit: str = "bytes",
        per_second: float = 4.0, clock: Callable[[], float] = time.monotonic, before: int = 0,
    ) -> None:  # fmt: skip
        self.sink, self.stage, self.total, self.stop, self.unit = sink, stage, total, stop, unit
        self.clock = clock
        self.started = clock()
        self.interval = 1.0 / per_second
        self.last = float("-inf")
        self.done = self.before = before
        self.image = 0

    def add(self, amount: int) -> None:
        """Count `amount` more as done.

        :raises Cancelled: the user asked to stop.
        """
        self.at(self.done + amount)
        if self.stop is not None:
            self.stop.check()

    def at(self, done: int) -> None:
        """Set how much is done, and tell the sink if it is time to."""
        ends, self.done = self.done < self.total <= done, done
        now = self.clock()
        if now - self.last < self.interval and not ends:
            return
        self.last = now
        elapsed = now - self.started
        rate = (done - self.before) / elapsed if elapsed > 0 else 0.0
        eta = (self.total - done) / rate if rate and elapsed > 0.5 else None
        self.sink(Progress(self.stage, done, self.total, elapsed, rate, eta, self.unit, self.image))

    def end(self, total: int) -> None:
        """Tell that all is done, which was so much, whatever was expected."""
        self.total, self.last = total, float("-inf")
        self.at(total)

    @property
    def elapsed(self) -> float:
        """Seconds since the meter was made."""
        return self.clock() - self.started
