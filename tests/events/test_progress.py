"""Meters of long work, and the wish to stop it."""

from __future__ import annotations

import pytest

from khib_tui.errors import Cancelled
from khib_tui.events.progress import Meter, Stop
from khib_tui.events.sinks import progress_text
from khib_tui.events.types import (
    Event,
    Progress,
    StageName,
)


def test_a_meter_tells_rate_and_time_left_and_always_the_end() -> None:
    now = [0.0]
    seen: list[Progress] = []

    def sink(event: Event) -> None:
        assert isinstance(event, Progress)
        seen.append(event)

    meter = Meter(sink, StageName.SAVE, 100, per_second=1, clock=lambda: now[0])
    for second in range(1, 11):
        now[0] = second / 2
        meter.add(10)
    assert seen[-1].done == 100 and seen[-1].rate == 20 and seen[-1].eta == 0
    assert len(seen) < 10, "not more often than asked for"
    assert all(len(progress_text(event)) <= 78 for event in seen)


def test_stopping_is_possible_until_it_is_too_late() -> None:
    stop = Stop()
    stop.check()
    stop.requested = True
    with pytest.raises(Cancelled):
        stop.check()
    stop.too_late()
    stop.check()
