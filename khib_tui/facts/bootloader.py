"""Which boot loader this machine has, and where its files lie as it sees them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from khib_tui.facts.read import data, text
from khib_tui.facts.usage import Mount, read_mounts
from khib_tui.model.boot import FIRMWARE_GUID, LOADER_GUID, BootFacts, Folder
from khib_tui.model.machine import BlockDevice
from khib_tui.model.text import clean

EFIVARS = "sys/firmware/efi/efivars"
# The types of partitions: in a GPT, and the first in an MBR too.
ESP_TYPES = ("c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "ef")
XBOOTLDR_TYPES = ("bc13c2ff-59e6-4262-a352-b275fd6f7172",)
_GRUB = ("boot/grub", "boot/grub2")
# GRUB overwrites grubenv where it lies: not on what it cannot map to one place of one disk (grub-reboot(8), 00_header).
_ENV_SIZE, _ENV_HEADER = 1024, b"# GRUB Environment Block\n"
_ENV_FILESYSTEMS = frozenset(("ext2", "ext3", "ext4", "xfs", "vfat"))


def read_boot(root: Path, devices: Sequence[BlockDevice]) -> BootFacts:
    """Read them below a root directory; what cannot be read is empty."""
    mounts, numbers = list(read_mounts(root, ("self",))), _numbers(root, devices)
    grub = next((name for name in _GRUB if (root / name / "grub.cfg").is_file()), "")
    written = text(root / grub / "grub.cfg") if grub else ""
    started = _text(root, "LoaderDevicePartUUID").lower()
    esp = _best([device for device in devices if device.parttype in ESP_TYPES], started)
    xbootldr = _best([device for device in devices if device.parttype in XBOOTLDR_TYPES], started, esp.disk if esp else "")

    def folder(path: str) -> Folder:
        return _folder(path, mounts, numbers)

    def mounted(device: BlockDevice | None) -> Folder | None:
        return folder(min(device.mounts, key=len)) if device else None

    where, system = folder(f"/{grub}") if grub else None, mounted(esp)
    return BootFacts(
        loader=_text(root, "LoaderInfo"),
        features=int.from_bytes(_variable(root, "LoaderFeatures"), "little"),
        partition=started,
        efivars=_writable(root, mounts),
        boot_current=(root / EFIVARS / f"BootCurrent-{FIRMWARE_GUID}").exists(),
        boot_order=(root / EFIVARS / f"BootOrder-{FIRMWARE_GUID}").exists(),
        boot=folder("/boot") if (root / "boot").is_dir() else None,
        esp=system, esp_free=_free(root / system.path.lstrip("/")) if system else 0, xbootldr=mounted(xbootldr), grub=where,
        grub_custom=bool(re.search(r"^\s*(source|\.)\s.*/custom\.cfg", written, re.MULTILINE)),
        grub_bls=bool(re.search(r"^\s*blscfg\b", written, re.MULTILINE)),
        grub_env=bool(where and "next_entry" in written and _has_env(root, where, devices)),
    )  # fmt: skip


def _free(path: Path) -> int:
    try:
        status = os.statvfs(path)
        ours = sum(file.stat().st_size for file in (path / "khib").glob("*"))
    except OSError:
        return 0
    return status.f_bavail * status.f_frsize + ours


def _best(devices: Sequence[BlockDevice], started: str, disk: str = "") -> BlockDevice | None:
    """Return the partition that the boot loader came from, else one on the same disk, else the first; of those mounted."""
    mounted = [device for device in devices if device.mounts]
    ranks = [(device.partuuid != started or not started, device.disk != disk) for device in mounted]
    return mounted[ranks.index(min(ranks))] if mounted else None


def _has_env(root: Path, where: Folder, devices: Sequence[BlockDevice]) -> bool:
    """Return whether there is an environment block that GRUB can overwrite."""
    path = root / where.path.lstrip("/") / "grubenv"
    block = data(path, _ENV_SIZE + 1)
    if path.is_symlink() or len(block) != _ENV_SIZE or not block.startswith(_ENV_HEADER):
        return False
    plain = any(device.name == where.device and device.kind == "partition" for device in devices)
    return plain and where.fstype in _ENV_FILESYSTEMS


def _variable(root: Path, name: str) -> bytes:
    """Return the value of a variable of the boot loader, which follows four bytes of attributes."""
    return data(root / EFIVARS / f"{name}-{LOADER_GUID}", 4096)[4:]


def _text(root: Path, name: str) -> str:
    """Return the text of a variable of the boot loader."""
    return clean(_variable(root, name).decode("utf-16-le", "replace").partition("\0")[0])


def _writable(root: Path, mounts: Sequence[Mount]) -> bool:
    folder = root / EFIVARS
    return any(mount.point == f"/{EFIVARS}" for mount in mounts) and os.access(folder, os.W_OK)


def _numbers(root: Path, devices: Sequence[BlockDevice]) -> dict[str, BlockDevice]:
    """Return the devices by their numbers, and by the place they are mounted at where a filesystem has a number of its own."""
    found = {text(root / "sys/class/block" / device.name / "dev", 64): device for device in devices}
    return found | {point: device for device in devices for point in device.mounts}


def _folder(path: str, mounts: Sequence[Mount], numbers: dict[str, BlockDevice]) -> Folder:
    """Find the mount that a folder lies on: the last of the longest."""
    pure = PurePosixPath(path)
    over = [mount for mount in mounts if pure.is_relative_to(mount.point)]
    if not over:
        return Folder(path, path)
    mount = max(reversed(over), key=lambda item: len(item.point))
    inside = str(PurePosixPath(mount.inside) / pure.relative_to(mount.point))
    device = numbers.get(mount.number) or numbers.get(mount.point)
    return Folder(path, inside, device.name, device.uuid, device.fstype) if device else Folder(path, inside)
