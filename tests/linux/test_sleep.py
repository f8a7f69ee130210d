"""Sleep states as the kernel's files have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.errors import Refused
from khib_tui.linux import sleep
from tests.kit.faketree import tree


def test_the_deepest_sleep_is_asked_for_first(tmp_path: Path) -> None:
    power = tree(tmp_path, {"mem_sleep": "[s2idle] deep\n", "state": ""})
    sleep.suspend(power)
    assert ((power / "mem_sleep").read_text(), (power / "state").read_text()) == ("deep", "mem")


def test_a_machine_that_cannot_sleep_says_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        sleep.suspend(tmp_path / "nothing")


@pytest.mark.parametrize(("when", "set_to"), [(5000, "5000"), (1000, "1010"), (1005, "1010"), (0, "0")])
def test_an_alarm_that_is_past_comes_soon(tmp_path: Path, when: int, set_to: str) -> None:
    clock = tree(tmp_path, {"since_epoch": "1000\n", "wakealarm": ""})
    sleep.set_alarm(when, clock)
    assert (clock / "wakealarm").read_text() == set_to


def test_the_clock_counts_in_its_own_seconds_and_must_have_an_alarm(tmp_path: Path) -> None:
    assert sleep.clock_now(tree(tmp_path, {"since_epoch": "1000\n", "wakealarm": ""})) == 1000
    (tmp_path / "wakealarm").unlink()
    with pytest.raises(Refused) as refusal:
        sleep.clock_now(tmp_path)
    assert refusal.value.ident == "HIB-E-WAKE" and refusal.value.hint
