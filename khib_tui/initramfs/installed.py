"""Which initramfs is installed: a file beside it says what it was made from."""

from __future__ import annotations

from pathlib import Path

GIVEN = "given"


def key_file(initramfs: Path) -> Path:
    """Return the file that says what an initramfs was made from."""
    return initramfs.with_suffix(".key")


def key(initramfs: Path) -> str:
    """Return what an installed initramfs was made from; GIVEN for one that is kept as it is, empty if there is none."""
    known = key_file(initramfs)
    return known.read_text().strip() if initramfs.exists() and known.exists() else ""
