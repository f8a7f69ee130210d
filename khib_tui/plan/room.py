"""Whether files fit before the first of them is written: a boot partition is small."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from khib_tui.errors import CommandFailed
from khib_tui.i18n import _
from khib_tui.model.units import KIB, MIB, size

# For C's boot entry, the notes beside the initramfs and what a filesystem needs to list them.
SLACK = 256 * KIB


Wanted = Sequence[tuple[Path, int]]


def refuse_short(wanted: Wanted) -> None:
    """See that files can be written one after the other; a former one goes only when its new one is whole.

    :param wanted: each file with its new size in bytes, in the order in which they are written.
    :raises CommandFailed: HIB-E-BOOT-ROOM, there is not enough room; nothing was written.
    """
    filesystems: dict[int, list[tuple[Path, int]]] = {}
    for path, count in wanted:
        filesystems.setdefault(_number(_existing(path.parent)), []).append((path, count))
    for on_one in filesystems.values():
        _refuse_short(_existing(on_one[0][0].parent), on_one)


def _refuse_short(folder: Path, wanted: Wanted) -> None:
    status = os.statvfs(folder)
    there = status.f_bavail * status.f_frsize
    free = there - SLACK
    for path, count in wanted:
        if free < count:
            need = sum(count for _, count in wanted) + SLACK
            raise CommandFailed(
                _("{path} does not fit: {free} are free in {folder}, {needed} are needed for {names}").format(
                    path=path,
                    free=size(there),
                    folder=folder,
                    needed=size(need),
                    names=_(" and ").join((path.name for path, _ in wanted)),
                ),
                hint=_("remove old kernels there, or let boot_dir in the settings name a larger place ({size} do)").format(
                    size=size(need + MIB)
                ),
                ident="HIB-E-BOOT-ROOM",
            )
        free += (path.stat().st_size if path.exists() else 0) - count


def _number(folder: Path) -> int:
    """Return the number of the filesystem that a folder is on."""
    return folder.stat().st_dev


def _existing(path: Path) -> Path:
    while not path.is_dir():
        path = path.parent
    return path
