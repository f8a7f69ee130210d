"""Whether A may run on, and was told why: two bytes that all processes of B share, known whatever ends one of them."""

from __future__ import annotations

import mmap
import os
from enum import IntEnum
from pathlib import Path

PLACE = Path("/run/khib/fate")


class Fate(IntEnum):
    """What is to become of A.

    It runs on; it is not decided, for the image may be complete; it sleeps, for the image is; it was overwritten.
    """

    RUNS_ON = 0
    UNSETTLED = 1
    SLEEPS = 2
    OVERWRITTEN = 3


class Byte:
    """Fate, as it is now.

    :param path: a file that shares it with processes that are no children of this one; it is made if it is missing.
    :raises OSError: the file cannot be had.
    """

    def __init__(self, path: Path | None = None) -> None:
        if path is None:
            self.mapped = mmap.mmap(-1, mmap.PAGESIZE)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(fd, mmap.PAGESIZE)
            self.mapped = mmap.mmap(fd, mmap.PAGESIZE)
        finally:
            os.close(fd)

    @property
    def now(self) -> Fate:
        """What is known now."""
        return Fate(self.mapped[0])

    def set(self, fate: Fate) -> None:
        """Decide."""
        self.mapped[0] = fate

    @property
    def told(self) -> bool:
        """Whether A has its report."""
        return self.mapped[1] != 0

    def tell(self) -> None:
        """Note that A has its report."""
        self.mapped[1] = 1
