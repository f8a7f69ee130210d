"""What the user is told when A is back, and what the steps say before."""

from __future__ import annotations

import time

import pytest

from khib_tui.errors import Exit
from khib_tui.events.types import Event, Result
from khib_tui.handover.handover import Mode
from khib_tui.handover.report import Outcome, Report
from khib_tui.model.choices import After
from khib_tui.model.settings import Settings
from khib_tui.plan import hibernate
from khib_tui.plan.outcome import arrived


def test_who_was_woken_is_told_that_the_image_is_gone() -> None:
    said: list[Event] = []
    told = Report(Outcome.WOKEN, "woken from memory, the image was given up", image_bytes=7)
    assert arrived(told, 61, said.append, Mode.SAVE) == Exit.OK
    assert isinstance(said[0], Result) and said[0].text == "woken from memory, the image was given up; 1 min 1 s away"


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (Settings(), "power off"), (Settings(after=After.HYBRID), "suspend to RAM"),
        (Settings(wake="07:30"), "power off, and wake at 07:30"),
        (Settings(after=After.PLATFORM, wake="8h"), "power off by ACPI S4, and wake after 8h"),
    ],
)  # fmt: skip
def test_what_follows_is_said_before(settings: Settings, text: str) -> None:
    assert hibernate.leaving(settings) == text


def test_the_alarm_is_in_the_seconds_of_the_clock_that_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hibernate, "clock_now", lambda: 5000)
    monkeypatch.setattr(time, "time", lambda: 9_000_000.0)
    assert hibernate.alarm_at("8h") == 5000 + 8 * 3600
    assert hibernate.alarm_at("") == 0
