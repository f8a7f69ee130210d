"""Batteries and mains of all kinds of machines."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.facts.power import read_power
from tests.kit import fakeroot
from tests.kit.faketree import tree

TOP = "sys/class/power_supply"


def power(tmp_path: Path, **supplies: dict[str, object]) -> tuple[float | None, bool | None]:
    files = {f"{TOP}/{name}/{key}": f"{value}\n" for name, keys in supplies.items() for key, value in keys.items()}
    return read_power(tree(tmp_path, files))


@pytest.mark.parametrize(
    ("name", "percent", "plugged"),
    [
        ("12a-battery-two", 63.34, False),
        ("12b-battery-mouse", None, None),
        ("12c-battery-odd-names", 2.0, False),
        ("12d-battery-acpi-adp1", 2.0, True),
    ],
)
def test_machines_from_the_field(tmp_path: Path, name: str, percent: float | None, plugged: bool | None) -> None:
    found, on_ac = read_power(fakeroot.make(tmp_path, name))
    assert on_ac is plugged
    assert found is None if percent is None else found == pytest.approx(percent, abs=0.01)


def test_charge_is_worth_more_at_a_higher_voltage(tmp_path: Path) -> None:
    low = {"type": "Battery", "charge_now": 0, "charge_full": 1000, "voltage_min_design": 5_000_000}
    high = {"type": "Battery", "charge_now": 1000, "charge_full": 1000, "voltage_now": 15_000_000}
    assert power(tmp_path, A=low, B=high) == (75.0, None)


def test_charge_without_a_voltage_is_still_a_share(tmp_path: Path) -> None:
    assert power(tmp_path, A={"type": "Battery", "charge_now": 30, "charge_full": 120})[0] == pytest.approx(25)


def test_energy_and_percent_are_not_added(tmp_path: Path) -> None:
    big = {"type": "Battery", "energy_now": 90_000, "energy_full": 90_000}
    assert power(tmp_path, A=big, B={"type": "Battery", "capacity": 50})[0] == 75.0


def test_what_is_no_battery_of_ours_does_not_count(tmp_path: Path) -> None:
    empty = {"type": "Battery", "present": 0, "capacity": 1}
    odd = {"type": "Battery", "capacity": 900}
    ups = {"type": "UPS", "capacity": 1}
    assert power(tmp_path, A=empty, B=odd, C=ups) == (None, None)


def test_any_line_that_is_online_is_mains(tmp_path: Path) -> None:
    lines = {"AC": {"type": "Mains", "online": 0}, "usb": {"type": "USB", "online": 1}}
    assert power(tmp_path, **lines) == (None, True)


@pytest.mark.parametrize(
    ("states", "plugged"),
    [(["Charging"], True), (["Full", "Discharging"], False), (["Unknown"], None), (["Not charging"], True)],
)
def test_without_mains_the_batteries_tell(tmp_path: Path, states: list[str], plugged: bool | None) -> None:
    batteries: dict[str, dict[str, object]] = {
        f"BAT{number}": {"type": "Battery", "capacity": 50, "status": state} for number, state in enumerate(states)
    }
    assert power(tmp_path, **batteries) == (50.0, plugged)
