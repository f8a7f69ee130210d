"""When the machine is to wake."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from khib_tui.errors import UsageError
from khib_tui.model.wake import seconds

EVENING = 1_774_720_800.0  # 2026-03-28 18:00 UTC, the night before clocks are put forward


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("90m", 5400), ("8h", 28800), ("45s", 45), ("2d", 172800),
        ("19:30", 1800), ("7:30", 11.5 * 3600), ("18:59", 24 * 3600 - 3600 - 60), ("19:00", 23 * 3600),
    ],
)  # fmt: skip
def test_times(text: str, wanted: float) -> None:
    assert seconds(text, EVENING) == wanted


@pytest.mark.parametrize("text", ["", "24:00", "7:60", "8", "h", "-8h", "0m", "400d", "8h\n", "٣h", "07:30 "])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(UsageError) as refusal:
        seconds(text, EVENING)
    assert refusal.value.ident == "HIB-E-WAKE-TIME"
