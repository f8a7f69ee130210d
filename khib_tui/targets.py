"""Where the image may go: a partition (or a disk without partitions), or a file on a filesystem that A has not mounted.

Names such as `/dev/vdb1` are for people; between A, B and C a device is known by its DeviceKey. Sizes are bytes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

import msgspec

from khib_tui import signatures
from khib_tui.errors import Refused, UsageError
from khib_tui.events import Finding
from khib_tui.identity import TargetRef, key_of, only
from khib_tui.machine import BlockDevice, Machine
from khib_tui.text import clean
from khib_tui.units import size

FILE_SYSTEMS = ("ext4", "ext3", "ext2", "xfs", "btrfs", "vfat")
# No white space and nothing that a boot loader's script or a kernel command line takes apart.
_PATH = re.compile(r"(/[A-Za-z0-9_@+.-]+)+")
_DEVICE = re.compile(r"/dev(/[A-Za-z0-9_@+.-]+)+|/dev/disk/[a-z-]+/[A-Za-z0-9_@+.:-]+")
_WORD = re.compile(r"([0-9A-Za-z-]+)-(\d{1,20}):(/.*)")


class Target(msgspec.Struct, frozen=True):
    """A place for the image: a device node, and a path inside its filesystem if it is a file."""

    device: str
    path: str = ""

    @property
    def kind(self) -> str:
        """Tell `partition` from `file`."""
        return "file" if self.path else "partition"

    def __str__(self) -> str:
        return f"{self.device}:{self.path}" if self.path else self.device


def parse(text: str) -> Target:
    """Read `/dev/vdb1` or `/dev/vdb2:/hibernate.khib`.

    :raises UsageError: HIB-E-TARGET, it is neither.
    """
    device, colon, rest = text.strip().partition(":/")
    path = f"/{rest}" if colon else ""
    sound = _DEVICE.fullmatch(device) and (not path or _PATH.fullmatch(path))
    if not sound or not {".", ".."}.isdisjoint([*device.split("/"), *path.split("/")]):
        raise UsageError(
            f"'{clean(text)}' is no place for an image", ident="HIB-E-TARGET",
            hint="write /dev/PARTITION or /dev/PARTITION:/FILE, without spaces",
        )  # fmt: skip
    return Target(device, path)


def resolved(target: Target) -> Target:
    """Follow a link such as /dev/disk/by-id/... to the name that facts use."""
    node = os.path.realpath(target.device)
    return Target(node, target.path) if node.startswith("/dev/") else target


def word(target: Target, machine: Machine) -> str:
    """Spell a target for a kernel command line: `DISKID-START:/PATH`; without a partition table `UUID-0:/PATH`.

    :raises Refused: HIB-E-TARGET-MISSING, or HIB-E-TARGET-IDENTITY where only its name tells it apart.
    """
    device = only([item for item in machine.devices if item.path == target.device], target.device)
    identity = device.disk_id or device.uuid
    if not identity:
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


def above(devices: Sequence[BlockDevice], device: BlockDevice) -> list[BlockDevice]:
    """Give the device and all that lies on it: partitions, mappings, arrays, and mappings of the disk it is part of."""
    found = {device.name: device} | {item.name: item for item in devices if item.name == device.disk}
    todo = list(found.values())
    while todo:
        base = todo.pop()
        for item in devices:
            part = item.disk == base.name and base.name != device.disk
            if item.name not in found and (part or base.name in item.slaves or item.name in base.holders):
                found[item.name] = item
                todo.append(item)
    return list(found.values())


def refusals(machine: Machine, target: Target, need_bytes: int) -> list[Finding]:
    """Say why an image of `need_bytes` cannot go there; all blockers, empty if it can."""
    device = machine.device(target.device)
    if device is None:
        fix = "plug it in, or choose one that `khib status` lists"
        return [_stop("MISSING", f"{target.device} is not there", "there is no disk or partition of this name", fix)]
    in_use = list(_users(machine.devices, device))
    content = [] if in_use else list(_content(machine.devices, device, target))
    return [*in_use, *content, *_limits(device, need_bytes)]


def candidates(machine: Machine, need_bytes: int) -> list[tuple[Target, list[Finding]]]:
    """List every partition and every disk without partitions, each with the reasons against it."""
    divided = {device.disk for device in machine.devices}
    places = [item for item in machine.devices if item.kind in ("partition", "disk") and item.name not in divided]
    targets = [Target(device.path) for device in places]
    return [(target, refusals(machine, target, need_bytes)) for target in targets]


def _stop(ident: str, what: str, why: str, fix: str) -> Finding:
    return Finding(f"HIB-E-TARGET-{ident}", "blocker", what, why, fix)


def _users(devices: Sequence[BlockDevice], device: BlockDevice) -> Iterator[Finding]:
    stack = above(devices, device)
    for user in stack:
        through = "" if user is device else f" through {user.path}"
        if user.mounts:
            what = f"{device.path} is mounted at {', '.join(clean(point) for point in user.mounts[:3])}{through}"
            why = "the sleeping system would go on using it and both contents would be destroyed"
            yield _stop("MOUNTED", what, why, "choose another one, or unmount it")
        if user.swap:
            fix = f"choose another one, or `swapoff {user.path}`"
            yield _stop("SWAP", f"{device.path} is active swap{through}", "pages of the sleeping system are on it", fix)
    stacked = {user.name for user in stack if user.slaves and user is not device}
    if holders := sorted(stacked.union(*(user.holders for user in stack))):
        what = f"{device.path} is used by {', '.join(holders)}"
        why = "LVM, RAID, encryption or a filesystem works on it now"
        yield _stop("HOLDERS", what, why, "choose another one, or stop its user")


def _content(devices: Sequence[BlockDevice], device: BlockDevice, target: Target) -> Iterator[Finding]:
    held = f"{device.fstype}{f' ({device.label})' if device.label else ''}" if device.fstype else ""
    if not device.readable:
        why = "so nobody can tell what is on it"
        yield _stop("UNREADABLE", f"{device.path} cannot be read", why, "run as root; if you did, the disk may be failing")
    elif target.path:
        if device.fstype not in FILE_SYSTEMS:
            why = f"the saver can put a file on {', '.join(FILE_SYSTEMS)} only"
            yield _stop("FILESYSTEM", f"{device.path} holds {held or 'no filesystem'}", why, "choose another filesystem")
    elif held and held != signatures.KHIB:
        file = f", or put the image into a file: {device.path}:/hibernate.khib" if device.fstype in FILE_SYSTEMS else ""
        yield _foreign(device, held, file)
    elif device.table or any(item.disk == device.name for item in devices):
        yield _foreign(device, f"a partition table ({device.table or 'unknown'})", ", or choose one of its partitions")


def _foreign(device: BlockDevice, held: str, or_else: str) -> Finding:
    fix = f"if nothing on it is needed: wipefs -a {device.path}{or_else}"
    return _stop("FOREIGN", f"{device.path} holds {held}", "the image would overwrite it", fix)


def _limits(device: BlockDevice, need_bytes: int) -> Iterator[Finding]:
    if device.kind not in ("partition", "disk"):
        why = "saver and restorer use disks and their partitions only"
        yield _stop("KIND", f"{device.path} is a {device.kind} device", why, "choose a partition")
    if device.read_only:
        yield _stop("READONLY", f"{device.path} is read-only", "the image cannot be written", "remove its write protection")
    if device.size < need_bytes:
        what = f"{device.path} has {size(device.size)}, the image may need {size(need_bytes)}"
        yield _stop("SMALL", what, "saving would stop for lack of room", "choose a larger one")
