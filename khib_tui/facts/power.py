"""Batteries that feed this machine, and whether it is plugged in (Documentation/ABI/testing/sysfs-class-power)."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from khib_tui.facts.read import names, number, text

_SUPPLIES = "sys/class/power_supply"
_UNKNOWN = -1
_MICRO = 1_000_000
_THREE_CELLS = 11_100_000


class _Battery(Struct, frozen=True):
    """What a battery holds and could hold: microwatt hours, or percent if `percent`."""

    now: float
    full: float
    percent: bool


def read_power(root: Path) -> tuple[float | None, bool | None]:
    """Return the charge of all batteries in percent, and whether the machine is plugged in; None where nothing tells.

    The battery of a mouse or a headset (scope `Device`) feeds nobody else.
    """
    supplies = [root / _SUPPLIES / name for name in names(root / _SUPPLIES)]
    feeding = [path for path in supplies if text(path / "scope", 64) != "Device"]
    batteries = [path for path in feeding if _is_battery(path)]
    return _charge([found for path in batteries if (found := _battery(path))]), _plugged(feeding, batteries)


def _is_battery(path: Path) -> bool:
    kind = text(path / "type", 64)
    return kind == "Battery" if kind else any((path / name).exists() for name in ("capacity", "energy_now", "charge_now"))


def _battery(path: Path) -> _Battery | None:
    """Read one battery; None if it is not there or does not tell."""
    if not number(path / "present", 1):
        return None
    for unit, volt in (("energy", float(_MICRO)), ("charge", float(_voltage(path)))):
        now, full = number(path / f"{unit}_now", _UNKNOWN), number(path / f"{unit}_full", _UNKNOWN)
        if now >= 0 and full > 0:
            return _Battery(now * volt / _MICRO, full * volt / _MICRO, False)
    capacity = number(path / "capacity", _UNKNOWN)
    return _Battery(capacity, 100.0, True) if 0 <= capacity <= 100 else None


def _voltage(path: Path) -> int:
    """Read the voltage that turns charge into energy, in microvolts; that of three cells where nothing tells."""
    return number(path / "voltage_min_design") or number(path / "voltage_now") or _THREE_CELLS


def _charge(batteries: list[_Battery]) -> float | None:
    """Add energies; where one tells only a percentage, all count alike."""
    if not batteries:
        return None
    if any(battery.percent for battery in batteries):
        shares = [battery.now / battery.full for battery in batteries]
        return min(100.0, 100 * sum(shares) / len(shares))
    return min(100.0, 100 * sum(battery.now for battery in batteries) / sum(battery.full for battery in batteries))


def _plugged(supplies: list[Path], batteries: list[Path]) -> bool | None:
    """Ask the mains and USB supplies; without any, whether a battery is being emptied."""
    lines = [number(path / "online") for path in supplies if path not in batteries and (path / "online").exists()]
    if lines:
        return any(lines)
    states = [state for path in batteries if (state := text(path / "status", 64)) not in ("", "Unknown")]
    return "Discharging" not in states if states else None
