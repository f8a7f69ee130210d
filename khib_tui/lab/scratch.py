"""Where the lab and the tests write what nobody needs afterwards, and whether there is room for it.

Below the cache, not in /tmp: that is a part of the memory on Debian 13.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from khib_tui.errors import Refused
from khib_tui.files import cache_dir
from khib_tui.lab.build.cache import locked
from khib_tui.model.units import size

NAME = "scratch"
PREFIX = "lab-"


def scratch_dir() -> Path:
    """Return the folder that all of it lies in."""
    directory = cache_dir() / NAME
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """Give a new folder, which is removed at the end; so are those of programs that were killed."""
    directory, handle = held_folder(PREFIX)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(handle)


def held_folder(prefix: str) -> tuple[Path, int]:
    """Give a new folder, and the descriptor that holds it; those of the same prefix that nobody holds any more are removed."""
    top = scratch_dir()
    with locked(NAME):
        for left in top.glob(f"{prefix}*"):
            _remove_unused(left)
        directory = Path(tempfile.mkdtemp(prefix=prefix, dir=top))
        handle = _opened(directory)
        fcntl.flock(handle, fcntl.LOCK_EX)
    return directory, handle


def _opened(directory: Path) -> int:
    return os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _remove_unused(directory: Path) -> None:
    """Remove a folder that no running program holds."""
    with contextlib.suppress(FileNotFoundError):
        handle = _opened(directory)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(directory, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(handle)


def refuse_little_room(what: str, needed: int, place: Path) -> str:
    """Return how much room something needs below a folder.

    :param needed: bytes at most.
    :returns: a sentence with what is needed and what is free.
    :raises Refused: that much is not free.
    """
    free = shutil.disk_usage(_existing(place)).free
    text = f"{what} may need {size(needed)} below {place}; {size(free)} are free"
    if free < needed:
        raise Refused(
            text, hint="free some room, or set KHIB_CACHE to a folder on a larger disk", ident="HIB-E-LAB-ROOM"
        )  # fmt: skip
    return text


def _existing(place: Path) -> Path:
    return next(folder for folder in (place, *place.absolute().parents) if folder.exists())
