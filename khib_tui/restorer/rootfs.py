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
from khib_tui.formats.cpio import Entry, packed
from khib_tui.handover.place import KERNEL
from khib_tui.linux.syscalls import mount, umount

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
    """Return an uncompressed archive of this kernel's initramfs, and what belongs behind it.

    :raises OSError: a file cannot be read, or the root not be looked at.
    """
    with bare() as top:
        made = packed(entries(top))
    made += more
    return made
