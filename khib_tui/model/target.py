"""A target: where an image goes, as a person spells it and as a kernel command line does."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from khib_tui.errors import Refused, UsageError
from khib_tui.model import spelling
from khib_tui.model.identity import TargetRef, key_of, only
from khib_tui.model.machine import BlockDevice, Machine
from khib_tui.model.text import clean

KHIB = "khib"
FILE_SYSTEMS = ("ext4", "ext3", "ext2", "xfs", "btrfs", "vfat")
# No white space and nothing that a boot loader's script or a kernel command line takes apart.
_PATH = re.compile(r"(/[A-Za-z0-9_@+.-]+)+")
_IDENTITY = re.compile(r"[0-9A-Za-z-]+")
_WORD = re.compile(rf"({_IDENTITY.pattern})-(\d{{1,20}}):(/.*)")


class Target(msgspec.Struct, frozen=True):
    """A place for the image: a device node, and a path inside its filesystem if it is a file."""

    device: str
    path: str = ""

    @property
    def kind(self) -> str:
        """Return `partition` or `file`."""
        return "file" if self.path else "partition"

    def __str__(self) -> str:
        return f"{self.device}:{self.path}" if self.path else self.device


def parse(text: str) -> Target:
    """Read `/dev/vdb1` or `/dev/vdb2:/hibernate.khib`; the device may be named in each way that mount(8) takes.

    :raises UsageError: HIB-E-TARGET, it is neither.
    """
    device, path = spelling.split(text.strip())
    sound = spelling.is_device(device) and (not path or _PATH.fullmatch(path))
    if not sound or not {".", ".."}.isdisjoint([*device.split("/"), *path.split("/")]):
        raise UsageError(
            f"'{clean(text)}' is not a valid target", ident="HIB-E-TARGET",
            hint="write DEVICE or DEVICE:/FILE; DEVICE as mount takes it (/dev/..., UUID=..., LABEL=...), FILE without spaces",
        )  # fmt: skip
    return Target(device, path)


def resolved(target: Target, devices: Sequence[BlockDevice]) -> Target:
    """Follow a link such as /dev/disk/by-label/... to the name that facts use.

    :raises Refused: HIB-E-TARGET-DUPLICATE, it could be several.
    """
    return Target(spelling.node_of(target.device, devices), target.path)


def word(target: Target, machine: Machine) -> str:
    """Spell a target for a kernel command line: `DISKID-START:/PATH`; without a partition table `UUID-0:/PATH`.

    :raises Refused: HIB-E-TARGET-MISSING, or HIB-E-TARGET-IDENTITY where only its name tells it apart.
    """
    device = only([item for item in machine.devices if item.path == target.device], target.device)
    identity = device.disk_id or device.uuid
    if not _IDENTITY.fullmatch(identity):
        raise Refused(
            f"{target.device} has no identity to find it by after a restart", ident="HIB-E-TARGET-IDENTITY",
            hint="use a partition of a disk that has a partition table",
        )  # fmt: skip
    return f"{identity}-{device.start}:{target.path}"


def from_word(spelled: str, devices: Sequence[BlockDevice]) -> TargetRef:
    """Find what `word` spelled, or a `/dev/NAME:/PATH`, among the devices there are now.

    :raises UsageError: HIB-E-TARGET, it makes no sense.
    :raises Refused: HIB-E-TARGET-MISSING or HIB-E-TARGET-DUPLICATE.
    """
    match = _WORD.fullmatch(spelled)
    if not match:
        target = parse(spelled)
        found = [device for device in devices if device.path == target.device]
    else:
        target = parse(f"/dev/x:{match[3]}")
        there = [device for device in devices if device.start == int(match[2])]
        found = [device for device in there if match[1] in (device.disk_id, device.uuid)]
    return TargetRef(key_of(only(found, clean(spelled))), target.path)
