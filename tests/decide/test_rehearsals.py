"""What was tried, in words, and what a hibernation likely takes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from khib_tui.decide import forecast, rehearsals
from khib_tui.decide.rehearsals import Now
from khib_tui.model.journey import End, Journey, Rung
from khib_tui.model.units import GIB, MIB
from tests.kit.machines import BIOS

NOW = Now("uptime-2", "6.1", "6.1")
DAY = 1_700_000_000.0


def went(rung: Rung, at: float = DAY, **given: Any) -> Journey:
    fields = {"started": at, "boot_id": "uptime-2", "release": "6.1", "saver": "" if rung is Rung.ECHO else "6.1"}
    return msgspec.convert({"rung": rung, "end": End.WELL, "away_seconds": 3.2, **fields, **given}, Journey)


def judged(*journeys: Journey) -> dict[Rung, rehearsals.Tried]:
    return {tried.rung: tried for tried in rehearsals.judge(journeys, NOW)}


def test_nothing_was_tried_at_first() -> None:
    assert [(tried.good, tried.text) for tried in judged().values()] == [(False, "not tried yet")] * 4
    assert rehearsals.proven([], NOW) is None and "never rehearsed" in rehearsals.advice([], NOW)


def test_what_went_well_on_a_rung_goes_well_on_those_below() -> None:
    found = judged(went(Rung.SAVE))
    assert [found[rung].good for rung in Rung] == [True, True, True, False]
    assert "a higher step went well" in found[Rung.ECHO].text and "3.2 s away" in found[Rung.SAVE].text
    assert rehearsals.proven([went(Rung.SAVE)], NOW) is Rung.SAVE


@pytest.mark.parametrize(
    ("given", "said", "good"),
    [
        ({"boot_id": "uptime-1"}, "before the last start", True),
        ({"saver": "5.9"}, "with kernel 5.9, not the one of now", False),
        ({"release": "5.9", "saver": ""}, "with kernel 5.9", False),
        ({"seen": True}, "the saver's screen was seen", True),
        ({"seen": False}, "the saver's screen was not seen", True),
        ({"end": End.FAILED, "text": "no room\x1b[2J"}, "no room\\x1b", False),
        ({"end": End.CANCELLED}, "stopped on", False),
        ({"end": End.AWAY}, "under way since", False),
        ({"end": End.AWAY, "boot_id": "uptime-1"}, "did not come back", False),
    ],
)
def test_each_end_has_its_words(given: dict[str, Any], said: str, good: bool) -> None:
    tried = judged(went(Rung.JUMP, **given))[Rung.JUMP]
    assert said in tried.text and "\x1b" not in tried.text and tried.good is good


def test_a_failure_after_a_success_counts_and_a_success_after_a_failure_too() -> None:
    well, badly = went(Rung.JUMP), went(Rung.JUMP, DAY + 9, end=End.FAILED, text="x")
    assert not judged(well, badly)[Rung.JUMP].good
    healed = judged(well, badly, went(Rung.SAVE, DAY + 99))[Rung.JUMP]
    assert healed.good and "failed on" in healed.text and "a higher step went well on" in healed.text


@pytest.mark.parametrize(
    ("journeys", "said"),
    [
        ([went(Rung.ECHO)], "never rehearsed"), ([went(Rung.JUMP)], "Last rehearsed well on"),
        ([went(Rung.TRIP)], "Last hibernated well on"), ([went(Rung.JUMP, saver="5")], "with another kernel"),
        ([went(Rung.JUMP, saver="5"), went(Rung.JUMP, DAY + 1, end=End.FAILED)], "did not go well"),
    ],
)  # fmt: skip
def test_before_a_hibernation_it_is_said_when_it_was_rehearsed(journeys: list[Journey], said: str) -> None:
    assert said in rehearsals.advice(journeys, NOW)


def wrote(image: int, seconds: float, used: int, target: str = "/dev/vdb1") -> Journey:
    return went(Rung.TRIP, image_bytes=image, save_seconds=seconds, used=used, target=target)


def test_size_follows_what_memory_holds_and_time_follows_the_size() -> None:
    found = forecast.forecast([wrote(1 * GIB, 10, 2 * GIB), wrote(2 * GIB, 20, 4 * GIB)], 6 * GIB)
    assert found and found.image_bytes == 3 * GIB and found.seconds == pytest.approx(30)
    assert found.text == "Likely 3.0 GiB, written in about 30 s, going by the last 2."


def test_the_same_place_counts_before_others_and_only_the_last_ones() -> None:
    slow, quick = wrote(GIB, 100, 2 * GIB, "/dev/sda1"), wrote(GIB, 10, 2 * GIB)
    found = forecast.forecast([slow] * 9 + [quick], 2 * GIB, "/dev/vdb1")
    assert found and found.earlier == 1 and found.seconds == pytest.approx(10)
    found = forecast.forecast([quick] * 9, 2 * GIB, "/dev/other")
    assert found and found.earlier == forecast.MOST


def test_without_an_image_nothing_is_foretold_and_without_counting_the_size_stays() -> None:
    assert forecast.forecast([went(Rung.JUMP), went(Rung.TRIP, end=End.FAILED, image_bytes=9, save_seconds=1)], GIB) is None
    found = forecast.forecast([wrote(GIB, 10, 0)], 0)
    assert found and found.image_bytes == GIB
    assert forecast.used_now(msgspec.structs.replace(BIOS, mem_free=0)) == 0
    assert forecast.used_now(msgspec.structs.replace(BIOS, mem_free=100 * MIB)) > 0
