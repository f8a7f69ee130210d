"""Opening the place of an image: a partition, ranges of one, or a file on a filesystem that is mounted just for it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from khib_tui import files
from khib_tui.errors import ImageError
from khib_tui.i18n import _
from khib_tui.image.ranges import Ranged
from khib_tui.image.store import Store
from khib_tui.linux.syscalls import mount, umount
from khib_tui.model.identity import TargetRef, find
from khib_tui.model.machine import BlockDevice

MOUNT_POINT = Path("/run/khib/target")
MS_RDONLY = 1
# MS_NOSUID, MS_NODEV, MS_NOEXEC, and MS_NOSYMFOLLOW, which kernels before 5.10 do not know and do not mind.
UNTRUSTED = 2 | 4 | 8 | 256
_NO_REPLAY = {"ext4": "noload", "ext3": "noload", "xfs": "norecovery", "btrfs": "rescue=nologreplay"}


@contextmanager
def mounted(device: BlockDevice, *, read_only: bool = False, replay: bool = True) -> Iterator[Path]:
    """Mount the filesystem of a device that nobody else uses, for the time of a `with`; nothing on it is trusted.

    :param read_only: no file is written; the journal is replayed all the same, for files may be in nothing else.
    :param replay: without it nothing at all is written.
    :raises ImageError: it cannot be mounted.
    """
    files.folder(MOUNT_POINT)
    flags = UNTRUSTED | (MS_RDONLY if read_only else 0)
    try:
        mount(device.path, os.fspath(MOUNT_POINT), device.fstype, flags, "" if replay else _NO_REPLAY.get(device.fstype, ""))
    except OSError as error:
        raise ImageError(
            _("{device}: cannot mount {fstype}: {strerror}").format(
                device=device.path, fstype=device.fstype, strerror=error.strerror
            ),
            ident="HIB-E-MOUNT",
        ) from error
    try:
        yield MOUNT_POINT
    finally:
        umount(os.fspath(MOUNT_POINT))


@contextmanager
def networked(target: TargetRef | None) -> Iterator[None]:
    """Leave the network at the end, so that nothing of it reaches A's memory; only an image on another machine has any."""
    try:
        yield
    finally:
        if target and target.remote:
            from khib_tui.linux import network

            network.down()


@contextmanager
def opened(
    devices: Sequence[BlockDevice], target: TargetRef, *, create: bool = False, read_only: bool = False
) -> Iterator[Store]:
    """Open the store of a target, for reading and writing unless it is `read_only`.

    :param create: make the file if it is missing.
    :raises ImageError: it is missing, in use, or ambiguous.
    """
    if target.remote:
        from khib_tui.target import remote  # most images are on a disk, and start sooner without

        with remote.opened(target.remote, create=create, read_only=read_only) as store:
            yield store
        return
    device = find(devices, target.key)
    if target.spans:
        alone = not device.mounts and not device.holders
        with Ranged(Path(device.path), target.spans, writable=not read_only, exclusive=alone) as store:
            yield store
        return
    if not target.path:
        with Store(Path(device.path), writable=not read_only, exclusive=True) as store:
            yield store
        return
    with mounted(device, read_only=read_only) as root:
        with Store(root / target.path.lstrip("/"), writable=not read_only, create=create, root=root) as store:
            yield store
