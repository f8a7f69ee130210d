"""Which uptime this is."""

from __future__ import annotations

from pathlib import Path

from khib_tui.facts import read

_BOOT_ID = "proc/sys/kernel/random/boot_id"


def boot_id(root: Path = Path("/")) -> str:
    """Return what names this uptime, the same after a resume, another after each start; '' where the kernel does not tell."""
    return read.text(root / _BOOT_ID, 64)
