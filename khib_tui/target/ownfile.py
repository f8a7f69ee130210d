"""A file of A's own filesystem as a place for the image: made once, found below its filesystem, never written through it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from khib_tui.errors import KhibError, Refused
from khib_tui.i18n import _
from khib_tui.image import header as headers
from khib_tui.image import ranges
from khib_tui.image.header import State
from khib_tui.linux import extents
from khib_tui.linux.syscalls import fallocate
from khib_tui.model.identity import TargetRef, find, key_of
from khib_tui.model.machine import BlockDevice
from khib_tui.model.units import KIB, MIB, size
from khib_tui.target import beneath

_HEAD = 64 * KIB


def length(need: int) -> int:
    """Return the size of a file for an image of `need` bytes: with the map, and in whole MiB."""
    return -(-(need + ranges.MAP_SIZE) // MIB) * MIB


def there(path: Path, need: int) -> bool:
    """Return whether the file is there and large enough.

    :raises Refused: HIB-E-TARGET-FILE, something else is there.
    """
    with suppress(FileNotFoundError), _opened(path) as fd:
        return os.fstat(fd).st_size >= length(need)
    return False


def refuse_waiting(path: Path, devices: Sequence[BlockDevice]) -> None:
    """See that no image that can be resumed lies in the file.

    :param devices: as they are now.
    :raises Refused: HIB-E-COMPLETE, one does.
    """
    header = None
    with suppress(KhibError, OSError):
        place = located(path, devices, 0, sealed=True)
        with ranges.Ranged(Path(find(devices, place.key).path), place.spans) as store:
            header = headers.read(store)
    if header and header.state is State.COMPLETE:
        hint = _("resume it, or give it up with `khib image discard`")
        raise Refused(
            _("{path} holds a complete image of {host}").format(path=path, host=header.host or _("another system")),
            hint=hint,
            ident="HIB-E-COMPLETE",
        )


def make(path: Path, need: int) -> None:
    """Make the file, with all its room, in place of one that is too small; users are kept from moving it (chattr +i).

    :raises Refused: there is no room, the filesystem cannot do that, or something else is there.
    """
    if path.exists():
        there(path, need)
        remove(path)
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        hint = _("make its directory first, or name another place")
        raise Refused(
            _("{path} cannot be made: {strerror}").format(path=path, strerror=error.strerror),
            hint=hint,
            ident="HIB-E-TARGET-DIRECTORY",
        ) from error
    try:
        _fill(fd, path, length(need))
    except BaseException:
        os.close(fd)
        remove(path)
        raise
    os.close(fd)
    with suppress(OSError), _folder(path.parent) as folder:
        os.fsync(folder)


def _fill(fd: int, path: Path, count: int) -> None:
    # Only an empty file takes this; elsewhere than on btrfs nobody knows it, and nobody needs it.
    extents.set_flag(fd, extents.NOCOW, on=True)
    try:
        fallocate(fd, count)
        os.fsync(fd)
    except OSError as error:
        around = os.statvfs(path.parent)
        what = _("{path} needs {needed}; {free} are free there: {strerror}").format(
            path=path, needed=size(count), free=size(around.f_bavail * around.f_frsize), strerror=error.strerror
        )
        ident = "HIB-E-TARGET-SMALL" if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else "HIB-E-TARGET-FILESYSTEM"
        raise Refused(what, hint=_("free some room there, or choose another place"), ident=ident) from error
    extents.set_flag(fd, extents.IMMUTABLE, on=True)


def remove(path: Path) -> bool:
    """Remove the file; return whether it was there.

    :raises OSError: it cannot be removed.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        extents.set_flag(fd, extents.IMMUTABLE, on=False)
    finally:
        os.close(fd)
    path.unlink()
    return True


def located(path: Path, devices: Sequence[BlockDevice], need: int, *, sealed: bool) -> TargetRef:
    """Find where the file lies now, on which disk or partition; the longest range comes first.

    :param devices: as they are now.
    :param sealed: whether the image is sealed: below an encrypted filesystem it must be.
    :raises Refused: it is not there, too small, or lies so that nobody but its filesystem may write it.
    """
    device = beneath.mounted(devices, path)
    with _opened(path) as fd:
        if os.fstat(fd).st_size < length(need):
            what = _("{path} has {size}, the image may need {needed}").format(
                path=path, size=size(os.fstat(fd).st_size), needed=size(length(need))
            )
            raise Refused(what, hint=_("run `khib setup`, which makes it larger"), ident="HIB-E-TARGET-SMALL")
        spans = list(beneath.of_file(fd, path, device))
    places, leaf = beneath.followed(devices, device, spans, path)
    if not sealed:
        beneath.refuse_encrypted(devices, device, path)
    return TargetRef(key_of(leaf), spans=beneath.ordered(places, path))


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Open the file; it is an ordinary one of root's, with one name, and says nothing that is not an image's.

    :raises FileNotFoundError: it is not there.
    :raises Refused: HIB-E-TARGET-FILE, something else is there.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _foreign(path, error.strerror or _("it cannot be opened")) from error
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise _foreign(path, _("it is no ordinary file, or has several names"))
        head = os.pread(fd, _HEAD, 0)
        if any(head) and not ranges.is_map(head):
            raise _foreign(path, _("it holds something"))
        yield fd
    finally:
        os.close(fd)


def _foreign(path: Path, why: str) -> Refused:
    return Refused(
        _("{path} is not a file for an image: {why}").format(path=path, why=why),
        hint=_("name another file"),
        ident="HIB-E-TARGET-FILE",
    )


@contextmanager
def _folder(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)
