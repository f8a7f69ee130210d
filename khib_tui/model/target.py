"""A target: where an image goes, as a person spells it and as a kernel command line does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from khib_tui.errors import Refused, UsageError
from khib_tui.i18n import _
from khib_tui.model import remote, spelling
from khib_tui.model.identity import NOWHERE, TargetRef, key_of, only
from khib_tui.model.machine import BlockDevice, Machine
from khib_tui.model.remote import Remote
from khib_tui.model.text import clean

KHIB = "khib"
LENT_SWAP = "swap-lent"
"""What a swap is while an image lies behind its header."""
OWN = "file:"
SWAP = "swap"
OWN_FILE_SYSTEMS = ("ext4", "xfs", "btrfs")
"""Which of A's own may be written beneath. Not f2fs: an image in a file of it changed what its prints look at (seen)."""
FILE_SYSTEMS = ("ext4", "ext3", "ext2", "xfs", "btrfs", "vfat")
# No white space and nothing that a boot loader's script or a kernel command line takes apart.
_PATH = re.compile(r"(/[A-Za-z0-9_@+.-]+)+")
_IDENTITY = re.compile(r"[0-9A-Za-z-]+")
_PLACE = re.compile(rf"({_IDENTITY.pattern})-(\d{{1,20}})\+(\d{{1,20}})")
_WORD = re.compile(rf"({_IDENTITY.pattern})-(\d{{1,20}}):(/.*)")


class Kind(StrEnum):
    """A partition for the image alone; a file where A mounts nothing; a file of A's own; a swap of A's; on another machine."""

    PARTITION = "partition"
    FILE = "file"
    OWN = "own file"
    SWAP = "swap"
    REMOTE = "remote file"


class Target(msgspec.Struct, frozen=True):
    """A place for the image: a device node, and a path inside its filesystem if it is a file.

    :param own: the filesystem is one that A has mounted, and `path` is the file's in A.
    :param swap: it is a swap of A's, lent to the image: the device, or the file at `path` in A; neither for the only one.
    :param remote: it is on another machine; `device` and `path` are empty then.
    """

    device: str
    path: str = ""
    own: bool = False
    swap: bool = False
    remote: Remote | None = None

    @property
    def kind(self) -> Kind:
        """What kind of place it is."""
        if self.swap:
            return Kind.SWAP
        if self.own:
            return Kind.OWN
        if self.remote:
            return Kind.REMOTE
        return Kind.FILE if self.path else Kind.PARTITION

    @property
    def name(self) -> str:
        """What it is called by who knows its kind: the path of a file, else the device."""
        return self.path or self.device

    @property
    def beneath(self) -> bool:
        """Whether the image is written in ranges of a disk, beneath what A has there: filesystem, LVM, encryption."""
        return self.own or self.swap

    @property
    def whole(self) -> bool:
        """Whether its spelling says all of it: no file is put into it."""
        return self.beneath or self.remote is not None

    def __str__(self) -> str:
        if self.swap:
            return ":".join(filter(None, (SWAP, self.name)))
        if self.own:
            return f"{OWN}{self.path}"
        if self.remote:
            return str(self.remote)
        return f"{self.device}:{self.path}" if self.path else self.device


def parse(text: str) -> Target:
    """Read `/dev/vdb1`, `/dev/vdb2:/hibernate.khib`, `file:/hibernate.khib`, `swap`, `swap:/dev/vda2`, `swap:/swapfile`,
    `nfs://host/file` or `ssh://user@host/file`.

    A device may be named in each way that mount(8) takes.

    :raises UsageError: HIB-E-TARGET, it is none of them.
    """
    text = text.strip()
    if text.startswith(OWN):
        return Target("", _path(text.removeprefix(OWN)), own=True)
    if text == SWAP or text.startswith(f"{SWAP}:"):
        return _swap(text.removeprefix(SWAP).removeprefix(":"), text)
    if remote.is_remote(text):
        return Target("", remote=remote.parse(text))
    device, path = spelling.split(text)
    sound = spelling.is_device(device) and (not path or _PATH.fullmatch(path))
    if not sound or not {".", ".."}.isdisjoint([*device.split("/"), *path.split("/")]):
        raise UsageError(
            _("'{text}' is not a valid target").format(text=clean(text)),
            ident="HIB-E-TARGET",
            hint=_(
                "write DEVICE, DEVICE:/FILE, file:/FILE, swap or swap:DEVICE; DEVICE as mount takes it, FILE without spaces"
            ),
        )
    return Target(device, path)


def _swap(name: str, text: str) -> Target:
    """Read what stands behind `swap:`, nothing for the only one."""
    if text == SWAP:
        return Target("", swap=True)
    if name.startswith("/") and not name.startswith("/dev/"):
        return Target("", _path(name), swap=True)
    device = parse(name)
    if device.kind is not Kind.PARTITION:
        raise UsageError(
            _("'{text}' is not a valid swap").format(text=clean(text)), ident="HIB-E-TARGET",
            hint=_("write swap, swap:/dev/..., swap:UUID=... or swap:/swapfile"),
        )  # fmt: skip
    return Target(device.device, swap=True)


def _path(path: str) -> str:
    if not _PATH.fullmatch(path) or not {".", ".."}.isdisjoint(path.split("/")):
        raise UsageError(
            _("'{path}' is not a valid path for the image").format(path=clean(path)), ident="HIB-E-TARGET",
            hint=_("write it from the top, without spaces, such as file:/hibernate.khib"),
        )  # fmt: skip
    return path


def resolved(target: Target, devices: Sequence[BlockDevice]) -> Target:
    """Follow a link such as /dev/disk/by-label/... to the name that facts use; of a file of A's own, find its device.

    :raises Refused: HIB-E-TARGET-MISSING or HIB-E-TARGET-DUPLICATE, it could be none, or several.
    """
    if target.remote:
        return target
    if target.swap and not target.device and not target.path:
        return _only_swap(devices)
    if target.beneath and target.path:
        mounted = around(devices, target.path)
        return msgspec.structs.replace(target, device=mounted.path if mounted else "")
    if target.swap:
        return Target(spelling.node_of(target.device, devices), swap=True)
    return Target(spelling.node_of(target.device, devices), target.path)


def _only_swap(devices: Sequence[BlockDevice]) -> Target:
    """Find the only swap on a disk: those that are active, else what looks like one."""
    found = swaps(devices) or [Target(item.path, swap=True) for item in devices if item.fstype in (SWAP, LENT_SWAP)]
    if not found:
        hint = _("swapon one first, or choose another place")
        raise Refused(_("there is no swap on a disk"), hint=hint, ident="HIB-E-TARGET-MISSING")
    if found[1:]:
        what = _("there are {count} swaps: {names}").format(
            count=len(found), names=", ".join(item.path or item.device for item in found)
        )
        raise Refused(what, hint=_("name one: --target {found}").format(found=found[0]), ident="HIB-E-TARGET-DUPLICATE")
    return found[0]


def swaps(devices: Sequence[BlockDevice]) -> list[Target]:
    """List the active swaps that are not made of memory."""
    places = [device for device in devices if device.kind not in ("zram", "ram")]
    whole = [Target(device.path, swap=True) for device in places if device.swap]
    return [*whole, *(Target(item.path, swap.path, swap=True) for item in places for swap in item.swaps if swap.path)]


def lasting(target: Target, devices: Sequence[BlockDevice]) -> str:
    """Spell a target for the settings: a swap by its UUID, for the names of volumes change from start to start."""
    device = next((item for item in devices if item.path == target.device), None)
    if target.swap and device and device.uuid and not target.path:
        return f"{SWAP}:/dev/disk/by-uuid/{device.uuid}"
    return str(target)


def around(devices: Sequence[BlockDevice], path: str) -> BlockDevice | None:
    """Return the device whose filesystem a path of A lies on; None if it is on no device."""
    points = {point: device for device in devices for point in device.mounts}
    found = [point for point in points if path.startswith(point.rstrip("/") + "/")]
    return points[max(found, key=len)] if found else None


def under(devices: Sequence[BlockDevice], target: Target) -> BlockDevice | None:
    """Return the disk or partition that a target's bytes are on, below LVM and encryption; None if that is not one alone."""
    device = next((item for item in devices if item.path == target.device), None)
    while target.beneath and device and device.slaves:
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
            _("{device} has no identity to find it by after a restart").format(device=device.path),
            ident="HIB-E-TARGET-IDENTITY",
            hint=_("use a partition of a disk that has a partition table"),
        )
    return identity


def from_word(spelled: str, devices: Sequence[BlockDevice]) -> TargetRef:
    """Find what `word` or `place_word` spelled, or a `/dev/NAME:/PATH`, among the devices there are now.

    :returns: of a place in ranges, an empty range where the first one begins: the map there tells the rest.

    :raises UsageError: HIB-E-TARGET, it makes no sense.
    :raises Refused: HIB-E-TARGET-MISSING or HIB-E-TARGET-DUPLICATE.
    """
    if remote.is_remote(spelled):
        return TargetRef(NOWHERE, remote=remote.parse(spelled))
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
