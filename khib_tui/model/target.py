"""A target: where an image goes, as a person spells it and as a kernel command line does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from khib_tui.errors import Refused, UsageError
from khib_tui.model import spelling
from khib_tui.model.identity import TargetRef, key_of, only
from khib_tui.model.machine import BlockDevice, Machine
from khib_tui.model.text import clean

KHIB = "khib"
OWN = "file:"
OWN_FILE_SYSTEMS = ("ext4", "xfs", "btrfs")
"""Which of A's own may be written beneath. Not f2fs: an image in a file of it changed what its prints look at (seen)."""
FILE_SYSTEMS = ("ext4", "ext3", "ext2", "xfs", "btrfs", "vfat")
# No white space and nothing that a boot loader's script or a kernel command line takes apart.
_PATH = re.compile(r"(/[A-Za-z0-9_@+.-]+)+")
_IDENTITY = re.compile(r"[0-9A-Za-z-]+")
_PLACE = re.compile(rf"({_IDENTITY.pattern})-(\d{{1,20}})\+(\d{{1,20}})")
_WORD = re.compile(rf"({_IDENTITY.pattern})-(\d{{1,20}}):(/.*)")


class Kind(StrEnum):
    """A partition for the image alone; a file on a filesystem that A has not mounted; a file of A's own."""

    PARTITION = "partition"
    FILE = "file"
    OWN = "own file"


class Target(msgspec.Struct, frozen=True):
    """A place for the image: a device node, and a path inside its filesystem if it is a file.

    :param own: the filesystem is one that A has mounted, and `path` is the file's in A.
    """

    device: str
    path: str = ""
    own: bool = False

    @property
    def kind(self) -> Kind:
        """What kind of place it is."""
        if self.own:
            return Kind.OWN
        return Kind.FILE if self.path else Kind.PARTITION

    def __str__(self) -> str:
        if self.own:
            return f"{OWN}{self.path}"
        return f"{self.device}:{self.path}" if self.path else self.device


def parse(text: str) -> Target:
    """Read `/dev/vdb1`, `/dev/vdb2:/hibernate.khib` or `file:/hibernate.khib`.

    A device may be named in each way that mount(8) takes.

    :raises UsageError: HIB-E-TARGET, it is none of them.
    """
    text = text.strip()
    if text.startswith(OWN):
        return _own(text.removeprefix(OWN))
    device, path = spelling.split(text)
    sound = spelling.is_device(device) and (not path or _PATH.fullmatch(path))
    if not sound or not {".", ".."}.isdisjoint([*device.split("/"), *path.split("/")]):
        raise UsageError(
            f"'{clean(text)}' is not a valid target", ident="HIB-E-TARGET",
            hint="write DEVICE, DEVICE:/FILE or file:/FILE; DEVICE as mount takes it (/dev/..., UUID=...), FILE without spaces",
        )  # fmt: skip
    return Target(device, path)


def _own(path: str) -> Target:
    if not _PATH.fullmatch(path) or not {".", ".."}.isdisjoint(path.split("/")):
        raise UsageError(
            f"'{clean(path)}' is not a valid path for the image", ident="HIB-E-TARGET",
            hint="write it from the top, without spaces, such as file:/hibernate.khib",
        )  # fmt: skip
    return Target("", path, own=True)


def resolved(target: Target, devices: Sequence[BlockDevice]) -> Target:
    """Follow a link such as /dev/disk/by-label/... to the name that facts use; of a file of A's own, find its device.

    :raises Refused: HIB-E-TARGET-DUPLICATE, it could be several.
    """
    if target.own:
        mounted = around(devices, target.path)
        return Target(mounted.path if mounted else "", target.path, own=True)
    return Target(spelling.node_of(target.device, devices), target.path)


def around(devices: Sequence[BlockDevice], path: str) -> BlockDevice | None:
    """Return the device whose filesystem a path of A lies on; None if it is on no device."""
    points = {point: device for device in devices for point in device.mounts}
    found = [point for point in points if path.startswith(point.rstrip("/") + "/")]
    return points[max(found, key=len)] if found else None


def under(devices: Sequence[BlockDevice], target: Target) -> BlockDevice | None:
    """Return the disk or partition that a target's bytes are on, below LVM and encryption; None if that is not one alone."""
    device = next((item for item in devices if item.path == target.device), None)
    while target.own and device and device.slaves:
        below = [item for item in devices if item.name in device.slaves] if len(device.slaves) == 1 else []
        device = below[0] if below else None
    return device


def place_word(device: BlockDevice, first: int) -> str:
    """Spell a place in ranges for a kernel command line: `DISKID-START+FIRST`, the first byte of the first range.

    :raises Refused: HIB-E-TARGET-IDENTITY, only its name tells the device apart.
    """
    return f"{_identity(device)}-{device.start}+{first}"


def word(target: Target, machine: Machine) -> str:
    """Spell a target for a kernel command line: `DISKID-START:/PATH`; without a partition table `UUID-0:/PATH`.

    :raises Refused: HIB-E-TARGET-MISSING, or HIB-E-TARGET-IDENTITY where only its name tells it apart.
    """
    device = only([item for item in machine.devices if item.path == target.device], target.device)
    return f"{_identity(device)}-{device.start}:{target.path}"


def _identity(device: BlockDevice) -> str:
    identity = device.disk_id or device.uuid
    if not _IDENTITY.fullmatch(identity):
        raise Refused(
            f"{device.path} has no identity to find it by after a restart", ident="HIB-E-TARGET-IDENTITY",
            hint="use a partition of a disk that has a partition table",
        )  # fmt: skip
    return identity


def from_word(spelled: str, devices: Sequence[BlockDevice]) -> TargetRef:
    """Find what `word` or `place_word` spelled, or a `/dev/NAME:/PATH`, among the devices there are now.

    :returns: of a place in ranges, an empty range where the first one begins: the map there tells the rest.

    :raises UsageError: HIB-E-TARGET, it makes no sense.
    :raises Refused: HIB-E-TARGET-MISSING or HIB-E-TARGET-DUPLICATE.
    """
    match = _WORD.fullmatch(spelled)
    if place := _PLACE.fullmatch(spelled):
        key = key_of(only(_identified(devices, place[1], int(place[2])), clean(spelled)))
        return TargetRef(key, spans=((int(place[3]), int(place[3])),))
    if not match:
        target = parse(spelled)
        found = [device for device in devices if device.path == target.device]
    else:
        target = parse(f"/dev/x:{match[3]}")
        found = _identified(devices, match[1], int(match[2]))
    return TargetRef(key_of(only(found, clean(spelled))), target.path)


def _identified(devices: Sequence[BlockDevice], identity: str, start: int) -> list[BlockDevice]:
    return [device for device in devices if device.start == start and identity in (device.disk_id, device.uuid)]
