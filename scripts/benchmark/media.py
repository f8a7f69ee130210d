"""Stores that take and give bytes no faster than a medium would: what is written lies on the disk all the same."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from khib_tui.image.store import Store
from khib_tui.linux.buffers import Buffer

THROTTLED = 100e6
# A jittering disk: bytes a second, and how long one of them holds, in seconds.
SPEEDS = (30e6, 100e6, 300e6, 800e6)
SHORTEST, LONGEST = 0.01, 0.2


def speeds(medium: str, seed: int) -> Iterator[tuple[float, float]]:
    """Yield how long a speed holds, and bytes a second."""
    dice = random.Random(seed)
    while True:
        jittering = dice.uniform(SHORTEST, LONGEST), dice.choice(SPEEDS)
        yield (1e9, THROTTLED) if medium == "throttled" else jittering


class Pace:
    """Keeps whoever asks waiting until so many bytes would have been moved, one after the other."""

    def __init__(self, medium: str, seed: int) -> None:
        self.lock = threading.Lock()
        self.speeds = speeds(medium, seed)
        self.free_at = time.monotonic()
        self.until = self.speed = 0.0

    def move(self, count: int) -> None:
        """Wait for `count` bytes."""
        with self.lock:
            at, left = max(self.free_at, time.monotonic()), float(count)
            while left > 0:
                while at >= self.until:
                    lasts, self.speed = next(self.speeds)
                    self.until = max(at, self.until) + lasts
                some = min(left, (self.until - at) * self.speed)
                at, left = at + some / self.speed, left - some
            self.free_at = at
        time.sleep(max(at - time.monotonic(), 0.0))


class Paced(Store):
    """A store at the pace of a medium."""

    def __init__(self, path: Path, pace: Pace, *, writable: bool = False) -> None:
        super().__init__(path, writable=writable)
        self.pace = pace

    def write_buffer(self, offset: int, buffer: Buffer, count: int) -> None:
        """Write, at the medium's pace."""
        super().write_buffer(offset, buffer, count)
        self.pace.move(count)

    def view(self, offset: int, count: int) -> memoryview:
        """Read, at the medium's pace."""
        view = super().view(offset, count)
        self.pace.move(count)
        return view
