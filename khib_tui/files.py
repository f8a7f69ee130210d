"""Files that appear whole and durably, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

PART = ".part"
PRIVATE, PUBLIC = 0o600, 0o644


def partial(path: Path) -> Path:
    """Return the name a file has until it is whole."""
    return path.with_name(path.name + PART)


@contextmanager
def whole(path: Path, mode: int = PRIVATE) -> Iterator[BinaryIO]:
    """Write a file that replaces the former one, if any, when the `with` ends without an error.

    What is written to is always a new file of ours: a former partial file is taken away, whatever it is, and links are
    never followed. Missing folders are made.

    :param mode: permissions of the file, whatever the umask.
    :raises OSError: it cannot be written; the former file is as it was.
    """
    folder(path.parent)
    part = partial(path)
    part.unlink(missing_ok=True)
    fd = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE)
    try:
        with open(fd, "w+b") as stream:
            yield stream
            stream.flush()
            with suppress(PermissionError):  # vfat keeps no permissions
                os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        part.rename(path)
        sync(path.parent)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno and not error.filename:
            error.filename = os.fspath(path)
        raise


def write(path: Path, data: bytes, mode: int = PRIVATE) -> None:
    """Write a file at once, as `whole` does."""
    with whole(path, mode) as stream:
        stream.write(data)


def folder(path: Path) -> None:
    """Make a folder and those above it; others may look into them, not write."""
    if path.is_dir():
        return
    folder(path.parent)
    path.mkdir(exist_ok=True)
    with suppress(PermissionError):
        path.chmod(0o755)


def sync(path: Path) -> None:
    """Make what a folder lists durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
