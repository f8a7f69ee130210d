"""The initramfs of this kernel once more, made of the files it was unpacked to: the kernel keeps no archive.

The root is looked at through a second mount of it, which has nothing mounted on top: so `/dev` is what the archive had, and
nothing of `/proc`, `/sys`, `/run` or of a disk is read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from khib_tui import files
from khib_tui.errors import Refused
from khib_tui.facts.memory import meminfo
from khib_tui.formats.cpio import Entry, pieces
from khib_tui.handover.place import KERNEL
from khib_tui.i18n import _
from khib_tui.initramfs.packing import known, squeezed
from khib_tui.linux.syscalls import mount, umount
from khib_tui.model.units import MIB, size

SLACK = 8 * MIB
PLACE = Path("/run/khib/root")
MS_BIND = 4096


@contextmanager
def bare(place: Path = PLACE) -> Iterator[Path]:
    """Return the root without anything that is mounted on it, for the time of a `with`.

    :raises OSError: it cannot be mounted there.
    """
    files.folder(place)
    mount("/", os.fspath(place), "", MS_BIND)
    try:
        yield place
    finally:
        umount(os.fspath(place))


def entries(top: Path) -> Iterator[Entry]:
    """Yield all that is below a directory, folders first; without our kernel's file, which is needed once only.

    :raises OSError: something cannot be read.
    """
    for parent, folders, names in os.walk(top):
        folders.sort()
        for name in sorted([*folders, *names]):
            path = Path(parent, name)
            inside = str(path.relative_to(top))
            if inside != KERNEL:
                yield _entry(path, inside)


def _entry(path: Path, inside: str) -> Entry:
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return Entry(inside, status.st_mode, os.fsencode(path.readlink()))
    if stat.S_ISREG(status.st_mode):
        return Entry(inside, status.st_mode, path.read_bytes())
    return Entry(inside, status.st_mode, b"", (os.major(status.st_rdev), os.minor(status.st_rdev)))


def archive(more: bytes) -> bytearray:
    """Return this kernel's initramfs, compressed as the former was, and what belongs behind it.

    :raises OSError: a file cannot be read, or the root not be looked at.
    :raises Refused: HIB-E-MOVE, there is too little memory for it.
    """
    with bare() as top:
        refuse_short(sum(path.lstat().st_size for path in top.rglob("*")) // 2)
        made = squeezed(pieces(entries(top)), known(top))
    made += more
    return made


def refuse_short(count: int, root: Path = Path("/")) -> None:
    """See that memory can be had, or the kernel would end this process for want of it.

    :param count: bytes.
    :raises Refused: HIB-E-MOVE, it cannot.
    """
    there = meminfo(root, "MemAvailable")
    if there < count + SLACK:
        raise Refused(
            _("{needed} of memory are needed, {free} are free").format(needed=size(count + SLACK), free=size(there)),
            ident="HIB-E-MOVE",
        )
