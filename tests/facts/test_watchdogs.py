"""Watchdogs: which run, and which of them the saver could not live with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from khib_tui.decide.watchdog import check_watchdogs
from khib_tui.events.types import Severity
from khib_tui.facts.watchdogs import read_watchdogs
from khib_tui.model import machine
from khib_tui.model.machine import Watchdog
from tests.kit import MACHINES

BASE = machine.load(MACHINES / "qemu-bios-1g.json")


def dog(root: Path, name: str, driver: str = "", **files: Any) -> None:
    place = root / "sys/class/watchdog" / name
    place.mkdir(parents=True)
    for file, content in files.items():
        (place / file).write_text(f"{content}\n")
    if driver:
        (root / "sys/bus/drivers" / driver).mkdir(parents=True)
        (place / "device").mkdir()
        (place / "device/driver").symlink_to(root / "sys/bus/drivers" / driver)


def test_only_those_that_run_are_facts(tmp_path: Path) -> None:
    dog(tmp_path, "watchdog0", "sp5100-tco", state="active", identity="SP5100 TCO timer", timeout=60, nowayout=0)
    dog(tmp_path, "watchdog1", state="inactive", identity="iTCO_wdt", timeout=30)
    dog(tmp_path, "watchdog2", identity="no state told", timeout=30)
    dog(tmp_path, "watchdog3", state="active", identity="IPMI", nowayout=1)
    assert read_watchdogs(tmp_path) == (
        Watchdog("watchdog0", "SP5100 TCO timer", "sp5100-tco", 60), Watchdog("watchdog3", "IPMI", nowayout=True),
    )  # fmt: skip
    assert read_watchdogs(tmp_path / "none") == ()


@pytest.mark.parametrize(
    ("dogs", "bad"),
    [
        ((), 0),
        ((Watchdog("watchdog0", "iTCO_wdt", "iTCO_wdt", 30),), 0),
        ((Watchdog("watchdog0", "Software Watchdog"),), 0),
        ((Watchdog("watchdog0", "SP5100 TCO timer", "sp5100-tco", 60),), 1),
        ((Watchdog("watchdog0", "iTCO_wdt", "iTCO_wdt", 30), Watchdog("watchdog1", "IPMI"), Watchdog("watchdog2")), 2),
    ],
)
def test_one_that_goes_on_counting_is_a_blocker(dogs: tuple[Watchdog, ...], bad: int) -> None:
    found = check_watchdogs(msgspec.structs.replace(BASE, watchdogs=dogs))
    assert [item.severity for item in found] == ([Severity.BLOCKER] * bad or [Severity.OK])
    assert all("would restart the machine" in item.why for item in found if bad)


def test_one_that_cannot_be_stopped_needs_a_restart() -> None:
    for nowayout, words in ((True, "restart the machine"), (False, "daemon-reexec")):
        facts = msgspec.structs.replace(BASE, watchdogs=(Watchdog("watchdog0", "IPMI", nowayout=nowayout),))
        assert words in check_watchdogs(facts)[0].fix
