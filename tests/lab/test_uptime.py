"""A hundred rehearsals and ten hibernations in one uptime: nothing is lost, and nothing adds up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import linear_regression

import pytest

from khib_tui.events.types import Message, Result
from khib_tui.lab.cycle import Session
from khib_tui.model.units import KIB, MIB, size
from tests.kit.lab_kit import started

pytestmark = pytest.mark.lab

# Of the kernel's memory, in bytes a journey: what two looks at an idle machine differ by.
LOST = MIB // 4


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with started(tmp_path, fill=40) as made:
        yield made


def free(session: Session) -> int:
    """Bytes that are free in A once its caches are dropped."""
    text = session.program("sh", "-c", "sync; echo 3 > /proc/sys/vm/drop_caches; sleep 1; grep MemFree /proc/meminfo")
    return int(text.split()[1]) * KIB


def slope(left: list[int]) -> float:
    """Bytes lost a journey, by the line through all looks; the first journey may load what stays."""
    return -linear_regression(range(len(left) - 1), left[1:]).slope


def told(session: Session, what: str, left: list[int], seconds: list[float]) -> None:
    """Say how it goes: a long run may be cut off."""
    lost = size(abs(round(slope(left)))) if len(left) > 2 else "?"
    sign = "-" if len(left) > 2 and slope(left) < 0 else ""
    session.sink(Message(f"{what} {len(seconds)}: {seconds[-1]:.1f} s, {size(left[-1])} free, {sign}{lost} lost each"))


def rehearse(session: Session, count: int) -> tuple[list[int], list[float]]:
    left, seconds = [free(session)], []
    for _ in range(count):
        began = time.monotonic()
        code, events = session.run("rehearse")
        seconds.append(time.monotonic() - began)
        assert code == 0 and isinstance(events[-1], Result) and events[-1].data["outcome"] == "rehearsed", events
        left.append(free(session))
        told(session, "rehearsal", left, seconds)
    return left, seconds


def cycle(session: Session, count: int) -> tuple[list[int], list[float]]:
    left, seconds = [free(session)], []
    for _ in range(count):
        away = session.hibernate()
        back, result = session.resume()
        seconds.append(away + back)
        assert result.data["outcome"] == "resumed" and session.disks_identical
        assert session.ask("check", deep=False)["intact"]
        left.append(free(session))
        told(session, "cycle", left, seconds)
    return left, seconds


@pytest.mark.parametrize(
    ("rehearsals", "cycles"), [pytest.param(3, 2, marks=pytest.mark.long), pytest.param(100, 10, marks=pytest.mark.long)]
)
def test_journeys_of_one_uptime_lose_nothing_and_do_not_add_up(session: Session, rehearsals: int, cycles: int) -> None:
    for journeys, count in ((cycle, cycles), (rehearse, rehearsals)):
        left, seconds = journeys(session, count)
        print(f"{journeys.__name__}: {count} in {sum(seconds):.0f} s, from {min(seconds):.1f} to {max(seconds):.1f} s each")
        print(f"{journeys.__name__}: {size(left[0])} free before, {size(left[-1])} after")
        assert count < 10 or slope(left) < LOST, left
        assert session.read("/sys/kernel/kexec_loaded").strip() == "0"
    assert session.ask("check", deep=False)["intact"]
    errors = session.program("sh", "-c", "dmesg | grep -cE 'BUG|WARNING: CPU|Oops|Call Trace' || true")
    assert errors.strip() == "0"
    clean, text = session.power_off()
    assert clean, text
