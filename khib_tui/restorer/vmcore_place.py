"""Where a vmcore lies: a file, a block device, or a file on a device that is mounted just for it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from khib_tui.errors import ImageError
from khib_tui.facts import blockdev
from khib_tui.i18n import _
from khib_tui.image.export.contents import PlainFile
from khib_tui.model import target as targets
from khib_tui.model.machine import BlockDevice
from khib_tui.target.place import mounted


def find(place: str, seconds: float = blockdev.WAIT_FOR_DISKS) -> tuple[Sequence[BlockDevice], BlockDevice | None]:
    """Find the device that a vmcore lies on, waiting for disks; None for a file among the mounted ones.

    :raises ImageError: it is not there.
    """
    deadline = time.monotonic() + seconds
    path = place.partition(":")[0]
    while True:
        devices = blockdev.devices()
        for device in devices:
            if device.path == path:
                return devices, device
        if os.path.exists(path):  # noqa: PTH110
            return devices, None
        if time.monotonic() > deadline:
            raise ImageError(
                _("{path} is not there").format(path=path), hint=_("give a file, /dev/PARTITION or /dev/PARTITION:/FILE")
            )
        time.sleep(0.5)


@contextmanager
def opened(place: str, device: BlockDevice | None) -> Iterator[PlainFile]:
    """Open a vmcore: a file, a device, or a file on a device that is mounted for it."""
    if device and ":" in place:
        with mounted(device, read_only=True) as root:
            with closing(PlainFile(Path(targets.parse(place).path), root)) as file:
                yield file
        return
    with closing(PlainFile(Path(place))) as file:
        yield file
