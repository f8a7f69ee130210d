"""The saver's memory: too little is refused with figures, and what was left at its lowest reaches A's user."""

from __future__ import annotations

import time

import pytest

from khib_tui.errors import Refused
from khib_tui.handover.report import Outcome, Report
from khib_tui.model.units import MIB
from khib_tui.plan import outcome as arrival
from khib_tui.saver import room


def test_enough_memory_is_no_refusal() -> None:
    room.refuse_shortage(176 * MIB, room.NEEDED, 150 * MIB)


def test_too_little_memory_is_refused_with_figures_and_a_region_that_is_large_enough() -> None:
    with pytest.raises(Refused) as caught:
        room.refuse_shortage(176 * MIB, 30 * MIB, 150 * MIB)
    assert "30.0 MiB of 150.0 MiB" in caught.value.message and "40.0 MiB" in caught.value.message
    assert caught.value.ident == "HIB-E-SAVER-MEMORY" and "--region 192M" in str(caught.value.hint)


def test_the_lowest_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    amounts = iter([90 * MIB, 20 * MIB])
    monkeypatch.setattr(room, "available", lambda: next(amounts, 80 * MIB))
    monkeypatch.setattr(room, "_SECONDS", 0.001)
    watch = room.Watch()
    assert watch.lowest == 90 * MIB
    with watch:
        deadline = time.monotonic() + 30
        while watch.lowest != 20 * MIB and time.monotonic() < deadline:
            time.sleep(0.01)
    assert watch.lowest == 20 * MIB
    assert watch.noted(Report(Outcome.REHEARSED)).saver_memory_free == 20 * MIB


def test_the_figures_reach_the_user() -> None:
    report = Report(Outcome.REHEARSED, "both ways work", saver_memory=150 * MIB, saver_memory_free=70 * MIB)
    assert arrival.report_text(report, 2).endswith("memory of the saver: 70.0 MiB of 150.0 MiB free at its lowest")
    assert "memory of the saver" not in arrival.report_text(Report(Outcome.REHEARSED, "both ways work"), 2)
