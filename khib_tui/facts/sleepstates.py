"""Which sleep states kernel and firmware have (Documentation/admin-guide/pm/sleep-states.rst)."""

from __future__ import annotations

from pathlib import Path

from khib_tui.facts.read import text

_POWER = "sys/power"


def suspend(root: Path) -> str:
    """Return how deep this machine sleeps with its memory on: `deep` (ACPI S3), `s2idle`; '' if it cannot."""
    if "mem" not in _words(root, "state"):
        return ""
    return "deep" if "deep" in _words(root, "mem_sleep") else "s2idle"


def platform_sleep(root: Path) -> bool:
    """Return whether the firmware has ACPI S4, as far as this kernel tells."""
    return "platform" in _words(root, "disk")


def _words(root: Path, name: str) -> list[str]:
    """Read a list of words, of which one is in brackets."""
    return text(root / _POWER / name, 256).replace("[", " ").replace("]", " ").split()
