"""Opening the place an image goes to or comes from: a partition, or a file on a filesystem that is mounted just for it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from khib_tui.errors import ImageError
from khib_tui.image.store import Store
from khib_tui.linux.syscalls import mount, umount
from khib_tui.model.identity import TargetRef, find
from khib_tui.model.machine import BlockDevice

MOUNT_POINT = Path("/run/khib/target")
MS_RDONLY = 1
_NO_REPLAY = {"ext4": "noload", "ext3": "noload", "xfs": "norecovery", "btrfs": "rescue=nologreplay"}


@contextmanager
def mounted(device: BlockDevice, *, read_only: bool = False) -> Iterator[Path]:
    """Mount the filesystem of a device that nobody else uses, for the time of a `with`.

    :param read_only: nothing is written, and no journal replayed.
    :raises ImageError: it cannot be mounted.
    """
    MOUNT_POINT.mkdir(parents=True, exist_ok=True)
    try:
        flags, options = (MS_RDONLY, _NO_REPLAY.get(device.fstype, "")) if read_only else (0, "")
        mount(device.path, os.fspath(MOUNT_POINT), device.fstype, flags, options)
    except OSError as error:
        raise ImageError(f"{device.path}: cannot mount {device.fstype}: {error.strerror}", ident="HIB-E-MOUNT") from error
    try:
        yield MOUNT_POINT
    finally:
        umount(os.fspath(MOUNT_POINT))


@contextmanager
def opened(devices: Sequence[BlockDevice], target: TargetRef, *, create: bool = False) -> Iterator[Store]:
    """Open the store of a target for reading and writing.

    :param create: make the file if it is missing.
    :raises ImageError: it is missing, in use, or ambiguous.
    """
    device = find(devices, target.key)
    if not target.path:
        with Store(Path(device.path), writable=True, exclusive=True) as store:
            yield store
        return
    with mounted(device) as root:
        with Store(root / target.path.lstrip("/"), writable=True, create=create) as store:
            yield store
