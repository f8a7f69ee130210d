"""What a place holds, and why it may not be overwritten: unknown is not empty."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from khib_tui.events.types import Finding, Severity
from khib_tui.i18n import _
from khib_tui.model.machine import BlockDevice
from khib_tui.model.target import FILE_SYSTEMS, KHIB
from khib_tui.model.units import MIB

# Types of partitions that may be empty and free: of Linux, and of Windows where nobody has made a filesystem yet.
_FREE_GUIDS = frozenset({
    "0fc63daf-8483-4772-8e79-3d69d8477de4",  # Linux filesystem
    "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f",  # Linux swap
    "8da63339-0007-60c0-c436-083ac8230908",  # Linux reserved
    "933ac7e1-2eb4-4f13-b844-0e14e2aef915",  # /home
    "3b8f8425-20e0-4f3b-907f-1a25a76f98e8",  # /srv
    "4d21b016-b534-45c2-a9fb-5c16e091fd2d",  # /var
    "7ec6f557-3bc5-4aca-b293-16ef5df639d1",  # /var/tmp
    "773f91ef-66d4-49b5-bd83-d683bf40ad16",  # a user's home
    "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",  # root
    "8484680c-9521-48c6-9c11-b0720656f69e",  # /usr
    "e6d6d379-f507-44c2-a23c-238f2a3df928",  # LVM, not begun
    "a19d880f-05fc-4d3b-a006-743f0f84911e",  # RAID, not begun
    "ca7d7ccb-63ed-4c53-861c-1742536059cc",  # LUKS, not begun
    "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7",  # Windows' basic data, which Linux tools long gave to everything
})  # fmt: skip
_FREE_BYTES = frozenset({"83", "82", "8e", "fd", "e8", "da", "01", "04", "06", "07", "0b", "0c", "0e"})
_MEMBER = "_member"


def reasons(devices: Sequence[BlockDevice], device: BlockDevice) -> Iterator[Finding]:
    """Find why the whole of a device cannot be overwritten."""
    file = (
        _(", or put the image into a file: {device}:/hibernate.khib").format(device=device.path)
        if device.fstype in FILE_SYSTEMS
        else ""
    )
    if device.fstype == KHIB:
        return
    if device.fstype:
        yield _foreign(device, held(device), file)
    elif device.table or any(item.disk == device.name for item in devices):
        yield _foreign(
            device,
            _("a partition table ({kind})").format(kind=device.table or _("unknown")),
            _(", or choose one of its partitions"),
        )
    elif device.content == "unknown":
        yield _unknown(device)
    elif device.parttype and not free_type(device.parttype):
        what = _("{device} has the partition type {parttype}, which another system uses").format(
            device=device.path, parttype=device.parttype
        )
        fix = _("choose another one; if nothing uses it, give it the type of a Linux filesystem with fdisk")
        yield stop("TYPE", what, _("the image would overwrite what that system keeps there, though it looks empty"), fix)


def of_the_disk(devices: Sequence[BlockDevice], device: BlockDevice) -> Iterator[Finding]:
    """Find why no partition of its disk can be written: the disk is part of an array that is not running."""
    for disk in devices:
        if disk.name == device.disk and disk.fstype.endswith(_MEMBER):
            what = _("{device} lies on a disk that is part of an array ({fstype})").format(
                device=device.path, fstype=disk.fstype
            )
            yield stop("FOREIGN", what, _("writing to one disk alone would damage the array"), _("choose another one"))


def held(device: BlockDevice) -> str:
    """Name what was found on a device, with its label."""
    return f"{device.fstype}{f' ({device.label})' if device.label else ''}" if device.fstype else ""


def free_type(parttype: str) -> bool:
    """Return whether a partition of this type may be free: a GUID, or two hexadecimal digits."""
    return parttype.lower() in _FREE_GUIDS | _FREE_BYTES


def stop(ident: str, what: str, why: str, fix: str) -> Finding:
    """Make a blocker."""
    return Finding(f"HIB-E-TARGET-{ident}", Severity.BLOCKER, what, why, fix)


def _foreign(device: BlockDevice, found: str, or_else: str) -> Finding:
    fix = _("if nothing on it is needed: wipefs -a {device}, then {zero}{or_else}").format(
        device=device.path, zero=zero(device), or_else=or_else
    )
    return stop(
        "FOREIGN", _("{device} holds {found}").format(device=device.path, found=found), _("the image would overwrite it"), fix
    )


def _unknown(device: BlockDevice) -> Finding:
    why = _("it is not empty: it may be encrypted without a header, or belong to a system that khib does not know")
    fix = _("choose another one; if nothing on it is needed: {zero}").format(zero=zero(device))
    return stop("UNKNOWN", _("{device} has unknown content").format(device=device.path), why, fix)


def zero(device: BlockDevice) -> str:
    """Return the commands that make a device known to be empty: its first and last MiB."""
    to = f"dd if=/dev/zero of={device.path} bs=1M count=1"
    return f"{to}; {to} oflag=seek_bytes seek={max(device.size - MIB, 0)}"
