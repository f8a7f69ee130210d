"""A's disks while A sleeps: nobody may write to them. Whether anybody did is for `prints` to find out."""

from __future__ import annotations

import fcntl
import os
import struct
import time
from collections.abc import Callable, Iterable, Sequence

from khib_tui.facts import blockdev
from khib_tui.model.machine import BlockDevice

_BLKROSET = 0x125D
_PAUSE = 0.3


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


def settled(
    complete: Callable[[Sequence[BlockDevice]], bool], seconds: float = blockdev.WAIT_FOR_DISKS
) -> Sequence[BlockDevice]:
    """Wait until all disks are there, since buses such as USB take their time; return those there are when time is over.

    :param complete: tells whether nothing is missing any more.
    """
    deadline = time.monotonic() + seconds
    while True:
        devices = blockdev.devices()
        if complete(devices) or time.monotonic() > deadline:
            return devices
        time.sleep(_PAUSE)
