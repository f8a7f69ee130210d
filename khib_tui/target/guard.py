"""A's disks while A sleeps: nobody may write to them, and anybody who did is found out.

The digest of a filesystem covers its first 256 KiB and last 64 KiB: superblocks, where even a read-only mount leaves marks
when it replays a journal.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
from collections.abc import Iterable, Sequence

from khib_tui.events.types import Finding, Severity
from khib_tui.model.machine import BlockDevice
from khib_tui.model.origin import DiskPrint
from khib_tui.model.units import KIB

_BLKROSET = 0x125D
_HEAD = 256 * KIB
_TAIL = 64 * KIB


def others(devices: Iterable[BlockDevice], target: BlockDevice | None) -> list[BlockDevice]:
    """Return the disks and partitions that are not the target (nor the disk it lies on)."""
    real = [device for device in devices if device.kind in ("disk", "partition") and device.size]
    if target is None:
        return real
    return [device for device in real if device.name not in (target.name, target.disk)]


def protect(devices: Iterable[BlockDevice]) -> None:
    """Make devices read-only at block level.

    :raises OSError: one of them cannot be protected.
    """
    for device in devices:
        fd = os.open(device.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.ioctl(fd, _BLKROSET, struct.pack("i", 1))
        finally:
            os.close(fd)


def fingerprints(devices: Iterable[BlockDevice], target: BlockDevice | None) -> tuple[DiskPrint, ...]:
    """Take the prints of all filesystems but the target's."""
    listed = list(devices)
    whole = {device.disk for device in listed if device.kind == "partition"}
    chosen = [device for device in others(listed, target) if device.name not in whole]
    return tuple(
        DiskPrint(
            device.name, device.disk_id, device.start, device.size, device.serial, device.label, _digest(device),
        )
        for device in chosen
    )  # fmt: skip


def _digest(device: BlockDevice) -> str:
    fd = os.open(device.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        head = os.pread(fd, _HEAD, 0)
        tail = os.pread(fd, _TAIL, max(device.size - _TAIL, 0))
    finally:
        os.close(fd)
    return hashlib.sha256(head + tail).hexdigest()


def compare(before: Sequence[DiskPrint], now: Sequence[DiskPrint]) -> list[Finding]:
    """Return which of A's disks are missing or were written to."""
    present = {_key(disk): disk for disk in now}
    found = []
    for disk in before:
        name = f"{disk.name} ({disk.label})" if disk.label else disk.name
        if _key(disk) not in present:
            found.append(
                Finding(
                    "HIB-E-DISK-MISSING", Severity.BLOCKER, f"disk {name} of the sleeping system is missing",
                    "it would go on working with a disk that is not there", "plug it in again, then retry",
                )
            )  # fmt: skip
        elif present[_key(disk)].digest != disk.digest:
            found.append(
                Finding(
                    "HIB-E-DISK-CHANGED", Severity.BLOCKER, f"disk {name} was changed while the system slept",
                    "resuming now would destroy its filesystem", "boot normally, then discard the image",
                )
            )  # fmt: skip
    return found


def _key(disk: DiskPrint) -> tuple[str, int, int, str]:
    return (disk.disk_id, disk.start, disk.size, disk.serial)
