"""The folder that a kernel is built in: what an interrupted build leaves there, the next one goes on with."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from khib_tui import files
from khib_tui.errors import Refused
from khib_tui.i18n import _
from khib_tui.kbuild.stock import Stock
from khib_tui.model.units import GIB, size

OBJECT_LINE = re.compile(r"\s+(CC|AS|HOSTCC)\s")
"""A line of the kernel's build that stands for a compiled object."""
SOURCE_ROOM = 2 * GIB  # the archive and its content; measured with 6.1: 1.7
BUILD_ROOM = {False: 6 * GIB, True: 12 * GIB}


@dataclass(frozen=True)
class Work:
    """Where everything of one build lies.

    :param whole: modules are built too, else the kernel alone.
    :param jobs: how many compilers run at once.
    """

    stock: Stock
    folder: Path
    whole: bool
    jobs: int

    @property
    def source(self) -> Path:
        """The folder of the archive."""
        return self.folder / "source"

    @property
    def tree(self) -> Path:
        """The unpacked source; it is there when it is whole."""
        return self.folder / "tree"

    @property
    def log(self) -> Path:
        """What the build printed, of interrupted ones too."""
        return self.folder / "build.log"

    @property
    def stage(self) -> Path:
        """What goes into the package."""
        return self.folder / "package"

    @property
    def compiled(self) -> int:
        """How many objects were compiled before."""
        try:
            with self.log.open(errors="replace") as lines:
                return sum(bool(OBJECT_LINE.match(line)) for line in lines)
        except FileNotFoundError:
            return 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep others from building here during a `with`.

        :raises Refused: HIB-E-BUILD-BUSY, another does.
        """
        files.folder(self.folder)
        handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._lock(handle)
            yield
        finally:
            os.close(handle)

    def _lock(self, handle: int) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused(
                _("another khib builds in {folder}").format(folder=self.folder),
                hint=_("wait for it, or give another folder by --into"),
                ident="HIB-E-BUILD-BUSY",
            ) from error


def refuse_little_room(work: Work) -> str:
    """Return how much room the build needs and how much is free.

    :raises Refused: HIB-E-BUILD-ROOM, it is not.
    """
    place = next(folder for folder in (work.folder, *work.folder.absolute().parents) if folder.exists())
    free, needed = shutil.disk_usage(place).free, BUILD_ROOM[work.whole] + SOURCE_ROOM
    there = _used(work.folder)
    text = _("the build may take {needed} in {folder}; {free} are free or taken by an earlier build").format(
        needed=size(needed), folder=work.folder, free=size(free + there)
    )
    if free + there < needed:
        raise Refused(text, hint=_("free some room, or give a folder on a larger disk by --into"), ident="HIB-E-BUILD-ROOM")
    return text


def _used(folder: Path) -> int:
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*"))
