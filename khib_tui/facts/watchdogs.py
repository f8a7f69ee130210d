"""Hardware watchdogs that count now (Documentation/ABI/testing/sysfs-class-watchdog)."""

from __future__ import annotations

from pathlib import Path

from khib_tui.facts.read import names, number, text
from khib_tui.model.machine import Watchdog
from khib_tui.model.text import clean

_CLASS = "sys/class/watchdog"


def read_watchdogs(root: Path) -> tuple[Watchdog, ...]:
    """Return the watchdogs that are running; where the kernel does not tell their state, none."""
    places = [root / _CLASS / name for name in names(root / _CLASS)]
    return tuple(_watchdog(path) for path in places if text(path / "state", 32) == "active")


def _watchdog(path: Path) -> Watchdog:
    return Watchdog(
        name=path.name, identity=clean(text(path / "identity", 256)), driver=_driver(path), timeout=number(path / "timeout"),
        nowayout=number(path / "nowayout") == 1,
    )  # fmt: skip


def _driver(path: Path) -> str:
    try:
        return clean((path / "device/driver").resolve(strict=True).name)
    except (OSError, RuntimeError):
        return ""
