"""Files that appear whole and durably, or not at all; and files of others, read within bounds and past no links."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from khib_tui.i18n import N_, _

PART = ".part"
PRIVATE, PUBLIC = 0o600, 0o644
NOT_ORDINARY = N_("it is no ordinary file")


def partial(path: Path) -> Path:
    """Return the name a file has until it is whole."""
    return path.with_name(path.name + PART)


def cache_dir() -> Path:
    """Return the folder of what can be made again: $KHIB_CACHE, $XDG_CACHE_HOME/khib or ~/.cache/khib."""
    if own := os.environ.get("KHIB_CACHE"):
        return Path(own)
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "khib"
    return Path.home() / ".cache" / "khib"


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


def overwrite(path: Path, data: bytes) -> None:
    """Write a small file where it lies, durably, for those who have noted its place on the disk; its length must be the same.

    :raises OSError: it cannot be written, or has another length.
    """
    fd = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if os.fstat(fd).st_size != len(data):
            raise OSError(errno.EINVAL, _("its length has changed"), str(path))
        if os.pwrite(fd, data, 0) != len(data):
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        os.fsync(fd)
    finally:
        os.close(fd)


def folder(path: Path) -> None:
    """Make a folder and those above it; others may look into them, not write."""
    if path.is_dir():
        return
    folder(path.parent)
    path.mkdir(0o755, exist_ok=True)
    with suppress(PermissionError):
        path.chmod(0o755)


def sync(path: Path) -> None:
    """Make what a folder lists durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def remove(path: Path) -> bool:
    """Remove a file durably; return whether it was there."""
    try:
        path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    sync(path.parent)
    return True


def read(path: Path, limit: int) -> bytes:
    """Read a file that must not be larger than `limit` bytes.

    :raises OSError: it cannot be read, or is larger.
    """
    with path.open("rb") as stream:
        return _bounded(stream, path, limit)


def read_ours(path: Path, limit: int) -> bytes:
    """Read a file that decides what is done: as root, only one that nobody else may write.

    :raises OSError: it cannot be read, is larger than `limit` bytes, no ordinary file, or others may write it.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    with open(fd, "rb") as stream:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, _(NOT_ORDINARY), str(path))
        if os.geteuid() == 0 and (status.st_uid != 0 or status.st_mode & 0o022):
            raise PermissionError(errno.EPERM, _("others than root may write it: `chown root` and `chmod go-w` it"), str(path))
        return _bounded(stream, path, limit)


def _bounded(stream: BinaryIO, path: Path, limit: int) -> bytes:
    data = stream.read(limit + 1)
    if len(data) > limit:
        raise OSError(errno.EFBIG, _("it is larger than {limit} bytes").format(limit=limit), str(path))
    return data


def open_beneath(root: Path, path: str, flags: int, mode: int = PRIVATE) -> int:
    """Open an ordinary file below a folder, past no link: neither the file nor any folder on the way may be one.

    :param path: relative to `root`; one slash at its begin does not matter.
    :returns: the file descriptor.
    :raises OSError: it cannot be opened so, or is no ordinary file.
    """
    *folders, name = [part for part in path.split("/") if part] or [""]
    if not name or {".", ".."} & {*folders, name}:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
    at = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for folder_name in folders:
            below = os.open(folder_name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = below
        # Without O_NONBLOCK, a pipe that lies there would wait for somebody at its other end.
        fd = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, mode, dir_fd=at)
    finally:
        os.close(at)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, _(NOT_ORDINARY), path)
    return fd


def reason(error: Exception) -> str:
    """Return why a file is not what it should be, without its name and the number of the error."""
    return (isinstance(error, OSError) and error.strerror) or str(error)
