"""What makes this system's initramfs: there the guard of normal starts is packed."""

from __future__ import annotations

from pathlib import Path

from khib_tui.model.machine import InitramfsMaker


def initramfs_maker(root: Path) -> InitramfsMaker:
    """Return which program makes the initramfs of the system below `root`; where both are, Debian's own one does."""
    if (root / "usr/share/initramfs-tools/hook-functions").is_file() and _program(root, "update-initramfs"):
        return "initramfs-tools"
    if (root / "usr/lib/dracut/modules.d").is_dir() and _program(root, "dracut"):
        return "dracut"
    return ""


def _program(root: Path, name: str) -> bool:
    return any((root / folder / name).exists() for folder in ("usr/sbin", "usr/bin", "sbin", "bin"))
