"""A file for an image, looked at while A runs: its filesystem is mounted read-only for a moment, and nothing is written."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from khib_tui import files
from khib_tui.errors import Refused
from khib_tui.i18n import _
from khib_tui.image.header import MAGIC
from khib_tui.model.machine import BlockDevice
from khib_tui.model.text import clean
from khib_tui.model.units import KIB, size
from khib_tui.target.place import mounted

_HEAD = 64 * KIB


def refuse_unfit(device: BlockDevice, path: str, need_bytes: int) -> None:
    """See that B can put an image into a file on a filesystem that nobody has mounted.

    :raises Refused: its directory is missing, something else is there, or the filesystem has no room.
    :raises ImageError: it cannot be mounted.
    """
    with mounted(device, read_only=True, replay=False) as root:
        refuse_bad_file(root, device.path, path)
        refuse_full(root, device.path, path, need_bytes)


def refuse_bad_file(root: Path, device: str, path: str) -> None:
    """See that a path names an image, an empty file or nothing, in a directory that is there; links lead nowhere.

    :raises Refused: it does not.
    """
    *above, name = path.strip("/").split("/")
    folder = root
    for part in above:
        folder /= part
        if not _is(folder, stat.S_ISDIR):
            what = _("there is no directory /{path} on {device}").format(
                path=clean(os.fspath(folder.relative_to(root)), 300), device=device
            )
            hint = _("make it, or put the image at the top: {device}:/{name}").format(device=device, name=name)
            raise Refused(what, hint=hint, ident="HIB-E-TARGET-DIRECTORY")
    file = folder / name
    if not os.path.lexists(file):
        return
    if not _is(file, stat.S_ISREG):
        kind = _("a directory") if _is(file, stat.S_ISDIR) else _("no ordinary file")
        raise Refused(
            _("{device}:{path} is {kind}").format(device=device, path=path, kind=kind),
            hint=_("name a file for the image"),
            ident="HIB-E-TARGET-DIRECTORY",
        )
    with open(files.open_beneath(root, path, os.O_RDONLY), "rb") as stream:
        head = stream.read(_HEAD)
    if not head.startswith(MAGIC) and any(head):
        hint = _("name another file, or remove this one if it is not needed")
        raise Refused(
            _("{device}:{path} holds something else than an image").format(device=device, path=path),
            hint=hint,
            ident="HIB-E-TARGET-FILE",
        )


def refuse_full(root: Path, device: str, path: str, need_bytes: int) -> None:
    """See that the filesystem has room for the image, with what the file has already.

    :raises Refused: it has not.
    """
    file, around = root / path.lstrip("/"), os.statvfs(root)
    room = around.f_bavail * around.f_frsize + (file.stat().st_blocks * 512 if file.exists() else 0)
    if room < need_bytes:
        what = _("the filesystem on {device} has {free} free, the image may need {needed}").format(
            device=device, free=size(room), needed=size(need_bytes)
        )
        raise Refused(what, hint=_("free some room there, or choose another place"), ident="HIB-E-TARGET-SMALL")


def _is(path: Path, kind: object) -> bool:
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return bool(callable(kind) and kind(mode))


@contextmanager
def held(device: BlockDevice) -> Iterator[None]:
    """Keep a device from every other user that asks for it alone: mounts, swap, LVM, RAID, encryption.

    :raises Refused: HIB-E-TARGET-BUSY, somebody has it already, whoever that is.
    """
    try:
        fd = os.open(device.path, os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC)
    except OSError as error:
        raise Refused(
            _("{device} cannot be had for the image alone: {strerror}").format(device=device.path, strerror=error.strerror),
            ident="HIB-E-TARGET-BUSY",
            hint=_("something that khib cannot see uses it: unmount it, or stop its user; or choose another target"),
        ) from error
    try:
        yield
    finally:
        os.close(fd)
