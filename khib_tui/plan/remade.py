"""What this system's own initramfs needs on the boot partition while it is made anew."""

from __future__ import annotations

from pathlib import Path

from khib_tui.i18n import _
from khib_tui.model.machine import InitramfsMaker, Machine
from khib_tui.model.units import MIB
from khib_tui.plan.room import Wanted

# The programs of the guard and their libraries: 1.4 MB on Debian 12, 0.5 MB of that once zstd has squeezed them.
GROWTH = MIB
_NAMES = {"initramfs-tools": ("initrd.img-*",), "dracut": ("initramfs-*.img", "initrd.img-*")}
_OTHERS = (".bak", ".dpkg-bak", ".new", ".old", ".tmp")
_WITHOUT_LINKS = ("vfat", "msdos", "exfat")


def copies(machine: Machine) -> bool:
    """Return whether the old initramfs is copied before: initramfs-tools keeps it by a link, where /boot knows links."""
    boot = machine.boot.boot
    return machine.initramfs_maker == "initramfs-tools" and boot is not None and boot.fstype in _WITHOUT_LINKS


def wanted(maker: InitramfsMaker, boot: Path, *, copied: bool) -> Wanted:
    """Return the files that are written, with their sizes in bytes; one kernel's goes before the next one's comes.

    :param boot: where they lie.
    :param copied: the old one is kept as a copy until the new one is whole.
    """
    found = {path for name in _NAMES.get(maker, ()) for path in boot.glob(name) if path.is_file() and not path.is_symlink()}
    sizes = [path.stat().st_size for path in found if path.suffix not in _OTHERS and "rescue" not in path.name]
    if not sizes:
        return []
    old = [(boot / _("the copy of the old initramfs"), max(sizes))] if copied else []
    return [*old, (boot / _("this system's new initramfs"), max(sizes) + GROWTH)]
