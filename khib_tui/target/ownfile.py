"""A file of A's own filesystem as a place for the image: made once, found below its filesystem, never written through it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from khib_tui.errors import KhibError, Refused
from khib_tui.facts.read import text
from khib_tui.image import header as headers
from khib_tui.image import ranges
from khib_tui.image.header import State
from khib_tui.image.store import BLOCK
from khib_tui.linux import btrfs, extents
from khib_tui.linux.syscalls import fallocate
from khib_tui.model import target as targets
from khib_tui.model.identity import TargetRef, find, key_of
from khib_tui.model.machine import BlockDevice
from khib_tui.model.ranges import Spans
from khib_tui.model.units import KIB, MIB, size
from khib_tui.prints.follow import Place, Unmapped, follow
from khib_tui.prints.layers import is_real, stack_of

_HEAD = 64 * KIB
_ANEW = "remove it (`khib setup --remove`, or chattr -i and rm) and set up again"


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
        hint = "resume it, or give it up with `khib image discard`"
        raise Refused(f"{path} holds a complete image of {header.host or 'another system'}", hint=hint, ident="HIB-E-COMPLETE")


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
        hint = "make its directory first, or name another place"
        raise Refused(f"{path} cannot be made: {error.strerror}", hint=hint, ident="HIB-E-TARGET-DIRECTORY") from error
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
        what = f"{path} needs {size(count)}; {size(around.f_bavail * around.f_frsize)} are free there: {error.strerror}"
        ident = "HIB-E-TARGET-SMALL" if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else "HIB-E-TARGET-FILESYSTEM"
        raise Refused(what, hint="free some room there, or choose another place", ident=ident) from error
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
    device = _mounted(devices, path)
    with _opened(path) as fd:
        if os.fstat(fd).st_size < length(need):
            what = f"{path} has {size(os.fstat(fd).st_size)}, the image may need {size(length(need))}"
            raise Refused(what, hint="run `khib setup`, which makes it larger", ident="HIB-E-TARGET-SMALL")
        spans = list(_on_device(fd, path, device))
    try:
        places = follow(stack_of(devices), device.name, spans)
    except Unmapped as error:
        raise _moved(path, f"{device.path}: {error}") from error
    leaf = _one_leaf(places, devices, path)
    if not sealed and (crypt := _encrypted(devices, device)):
        what = f"{path} lies on the encrypted {crypt}, and the image would not be encrypted"
        raise Refused(what, hint="make a seal first: khib seal", ident="HIB-E-TARGET-SEAL")
    return TargetRef(key_of(leaf), spans=ordered(places, path))


def ordered(places: Sequence[Place], path: Path) -> Spans:
    """Return the whole blocks of the places of a file, the longest first, the others as they lie on the disk.

    :raises Refused: HIB-E-TARGET-FRAGMENTS, they are too many, or too short.
    """
    whole = [(start, start + (end - start) // BLOCK * BLOCK) for _, start, end in places if end - start >= BLOCK]
    longest = max(whole, key=lambda span: span[1] - span[0], default=(0, 0))
    found = (longest, *sorted(span for span in whole if span != longest))
    if len(found) > ranges.MOST or longest[1] - longest[0] < ranges.LEAST_FIRST:
        what = f"{path} lies in {len(found)} pieces, the longest of {size(longest[1] - longest[0])}"
        raise Refused(what, hint=f"free some room on its filesystem; then {_ANEW}", ident="HIB-E-TARGET-FRAGMENTS")
    return found


def _mounted(devices: Sequence[BlockDevice], path: Path) -> BlockDevice:
    """Return the device of the filesystem that a path is on.

    :raises Refused: it is on none that the image could be written beneath.
    """
    device = targets.around(devices, os.fspath(path))
    if device is None or device.fstype not in targets.OWN_FILE_SYSTEMS:
        held = f"{device.fstype or 'no filesystem'} on {device.path}" if device else "no disk"
        hint = f"choose a place on one of {', '.join(targets.OWN_FILE_SYSTEMS)}"
        raise Refused(f"{path} lies on {held}", hint=hint, ident="HIB-E-TARGET-FILESYSTEM")
    return device


def _on_device(fd: int, path: Path, device: BlockDevice) -> Iterator[tuple[int, int]]:
    """Yield where the bytes of a file lie on the device of its filesystem, in the file's order.

    :raises Refused: its filesystem may move them, or shares them with other files.
    """
    at = 0
    chunks = _chunks(fd, path) if device.fstype == "btrfs" else None
    for extent in extents.extents(fd):
        if not extent.plain or extent.logical != at:
            raise _moved(path, f"byte {at} of it is shared, packed, or has no place yet")
        at += extent.size
        end = extent.physical + extent.size
        try:
            yield from [(extent.physical, end)] if chunks is None else btrfs.physical(chunks, extent.physical, end)
        except ValueError as error:
            raise _moved(path, str(error)) from error
    if at < os.fstat(fd).st_size:
        raise _moved(path, f"nothing of it is on the disk from byte {at} on")
    if chunks is None and _number(device) != os.fstat(fd).st_dev:
        raise _moved(path, f"it is not on {device.path}")


def _chunks(fd: int, path: Path) -> list[btrfs.Chunk]:
    if not extents.flags_of(fd) & extents.NOCOW:
        raise _moved(path, "btrfs writes it anew at another place each time (it lacks chattr +C)")
    if btrfs.devices(fd) != 1:
        raise _moved(path, "its filesystem lies on several devices")
    return btrfs.chunks(fd)


def _number(device: BlockDevice) -> int:
    major, _, minor = text(Path("/sys/class/block") / device.name / "dev", 64).partition(":")
    return os.makedev(int(major or 0), int(minor or 0))


def _moved(path: Path, why: str) -> Refused:
    return Refused(f"{path} cannot be written beneath its filesystem: {why}", hint=_ANEW, ident="HIB-E-TARGET-MOVED")


def _one_leaf(places: Sequence[Place], devices: Sequence[BlockDevice], path: Path) -> BlockDevice:
    names = dict.fromkeys(name for name, _, _ in places)
    leaves = [device for device in devices if device.name in names]
    if len(names) != 1 or len(leaves) != 1 or not is_real(leaves[0]):
        raise _moved(path, f"it lies on {', '.join(names) or 'nothing'}, and must lie on one disk or partition")
    return leaves[0]


def _encrypted(devices: Sequence[BlockDevice], device: BlockDevice) -> str:
    """Return the name of an encrypted device at or below a device; '' if there is none."""
    if text(Path("/sys/class/block") / device.name / "dm/uuid", 256).startswith("CRYPT-"):
        return device.path
    below = [item for item in devices if item.name in device.slaves]
    return next(filter(None, (_encrypted(devices, item) for item in below)), "")


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
        raise _foreign(path, error.strerror or "it cannot be opened") from error
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise _foreign(path, "it is no ordinary file, or has several names")
        head = os.pread(fd, _HEAD, 0)
        if any(head) and not ranges.is_map(head):
            raise _foreign(path, "it holds something")
        yield fd
    finally:
        os.close(fd)


def _foreign(path: Path, why: str) -> Refused:
    return Refused(f"{path} is not a file for an image: {why}", hint="name another file", ident="HIB-E-TARGET-FILE")


@contextmanager
def _folder(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)
