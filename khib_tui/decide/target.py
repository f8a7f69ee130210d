"""Where the image may go: a partition (or a disk without partitions), or a file on a filesystem that A has not mounted.

Names such as `/dev/vdb1` are for people; between A, B and C a device is known by its DeviceKey. Sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from khib_tui.decide import content, diskkind, ownplace, room, swapplace
from khib_tui.decide.content import stop
from khib_tui.decide.ramdisk import made_of_ram
from khib_tui.errors import KhibError
from khib_tui.events.types import Finding, Severity
from khib_tui.model import target as targets
from khib_tui.model.identity import key_of
from khib_tui.model.machine import BlockDevice, KernelFile, Machine
from khib_tui.model.settings import Settings
from khib_tui.model.target import FILE_SYSTEMS, Kind, Target
from khib_tui.model.text import clean
from khib_tui.model.units import GIB, size

PLACES = ("partition", "disk", "virtual")
DRIVERS = {
    "ext4": ("EXT4_FS",), "ext3": ("EXT4_FS", "EXT3_FS"), "ext2": ("EXT2_FS", "EXT4_FS"), "xfs": ("XFS_FS",),
    "btrfs": ("BTRFS_FS",), "vfat": ("VFAT_FS",),
}  # fmt: skip
VFAT_LIMIT = 4 * GIB - 1


def above(devices: Sequence[BlockDevice], device: BlockDevice) -> list[BlockDevice]:
    """Return the device and all that lies on it: partitions, mappings, arrays, and mappings of the disk it is part of."""
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
    """Return why an image of at most `need_bytes` cannot go there; all blockers, empty if it can.

    A partition that holds what memory has now is enough (`room.likely`): a full place brings the session back.
    """
    if target.own:
        return ownplace.refusals(machine, target, need_bytes)
    if target.swap:
        return swapplace.refusals(machine, target, room.needed(machine, target, need_bytes))
    device = machine.device(target.device)
    if device is None:
        fix = "plug it in, or choose one that the wizard lists (`khib`, page 'Image target') or `lsblk`"
        return [stop("MISSING", f"{target.device} is not there", "there is no disk or partition of this name", fix)]
    in_use = list(_users(machine.devices, device))
    held = [] if in_use else list(_content(machine.devices, device, target))
    kind = [*diskkind.reasons(machine.devices, device), *_twins(machine.devices, device), *_memory(machine, device)]
    return [*in_use, *held, *kind, *_limits(device, target, room.needed(machine, target, need_bytes))]


def doubts(machine: Machine, target: Target) -> list[Finding]:
    """Return what facts that khib made before it looked for content leave open: never so on the running system."""
    device = machine.device(target.device)
    if device is None or target.kind is not Kind.PARTITION or device.fstype or device.content or device.table:
        return []
    what = f"these facts do not say whether {device.path} is empty"
    fix = "make them anew on that machine: khib facts"
    return [Finding("HIB-W-TARGET-CONTENT", Severity.WARNING, what, "an older khib made them", fix)]


def candidates(machine: Machine, need_bytes: int) -> list[tuple[Target, list[Finding]]]:
    """List every partition and every disk without partitions, swaps and files of A's own, each with the reasons against it."""
    divided = {device.disk for device in machine.devices}
    places = [item for item in machine.devices if item.kind in PLACES and item.name not in divided]
    found = [*(Target(device.path) for device in places), *targets.swaps(machine.devices), *ownplace.candidates(machine)]
    return [(target, refusals(machine, target, need_bytes)) for target in found]


def _users(devices: Sequence[BlockDevice], device: BlockDevice) -> Iterator[Finding]:
    stack = above(devices, device)
    for user in stack:
        through = "" if user is device else f" through {user.path}"
        if user.mounts:
            what = f"{device.path} is mounted at {', '.join(clean(point) for point in user.mounts[:3])}{through}"
            why = "the sleeping system would go on using it and both contents would be destroyed"
            yield stop("MOUNTED", what, why, "choose another one, or unmount it")
        if user.swap:
            fix = f"let the image borrow it (--target swap:{user.path}), choose another one, or `swapoff {user.path}`"
            yield stop("SWAP", f"{device.path} is active swap{through}", "pages of the sleeping system are on it", fix)
    stacked = {user.name for user in stack if user.slaves and user is not device}
    if holders := sorted(stacked.union(*(user.holders for user in stack))):
        what = f"{device.path} is used by {', '.join(holders)}"
        why = "LVM, RAID, encryption or a filesystem works on it now"
        yield stop("HOLDERS", what, why, "choose another one, or stop its user")


def _content(devices: Sequence[BlockDevice], device: BlockDevice, target: Target) -> Iterator[Finding]:
    if not device.readable:
        why = "so nobody can tell what is on it"
        yield stop("UNREADABLE", f"{device.path} cannot be read", why, "run as root; if you did, the disk may be failing")
    elif not target.path:
        yield from content.reasons(devices, device)
    elif device.fstype not in FILE_SYSTEMS:
        why = f"the saver can put a file on {', '.join(FILE_SYSTEMS)} only"
        what = f"{device.path} holds {content.held(device) or 'no filesystem'}"
        yield stop("FILESYSTEM", what, why, "choose another filesystem")
    yield from content.of_the_disk(devices, device)


def _memory(machine: Machine, device: BlockDevice) -> Iterator[Finding]:
    if made_of_ram(machine, device):
        why = "what is on it is gone when the power goes"
        yield stop("RAM", f"{device.path} is made of memory", why, "choose a disk")


def _twins(devices: Sequence[BlockDevice], device: BlockDevice) -> Iterator[Finding]:
    others = [item.path for item in devices if item is not device and key_of(item) == key_of(device)]
    if others:
        what = f"nothing tells {device.path} and {', '.join(others)} apart but their names"
        why = "after a restart the names may be others, and the image could be looked for, or written, on the wrong one"
        yield stop("DUPLICATE", what, why, "unplug one, give the disk a partition table of its own, or choose another")


def _limits(device: BlockDevice, target: Target, need_bytes: int) -> Iterator[Finding]:
    if device.read_only:
        yield stop("READONLY", f"{device.path} is read-only", "the image cannot be written", "remove its write protection")
    if device.size < need_bytes:
        what = f"{device.path} has {size(device.size)}, the image may need {size(need_bytes)}"
        yield stop("SMALL", what, "saving would stop for lack of room", "choose a larger one")
    limit = file_limit(device) if target.path else 0
    if limit and limit < need_bytes:
        what = f"{device.fstype} on {device.path} takes files of at most {size(limit)}, the image may need {size(need_bytes)}"
        why = "saving would stop there"
        yield stop("FILESIZE", what, why, "choose another filesystem, or an empty partition")


def file_limit(device: BlockDevice) -> int:
    """Return the bytes of the largest file that the filesystem on a device takes; 0 if there is no limit that matters."""
    return VFAT_LIMIT if device.fstype == "vfat" else device.file_limit


def filesystem(machine: Machine, settings: Settings) -> str:
    """Return what kind of filesystem the chosen target's file lies on; '' for a partition, or if none is chosen."""
    try:
        target = targets.resolved(targets.parse(settings.target), machine.devices)
    except KhibError:
        return ""
    device = machine.device(target.device)
    return device.fstype if target.kind is Kind.FILE and device else ""


def without_driver(kernel: KernelFile, fstype: str) -> list[Finding]:
    """Return why a kernel cannot write a file on a filesystem: its configuration names filesystems, but not this one."""
    listed = any(name.endswith("_FS") for name in kernel.config)
    if not fstype or not listed or any(kernel.config.get(name) in ("y", "m") for name in DRIVERS[fstype]):
        return []
    what = f"kernel {kernel.release} has no driver for {fstype}"
    fix = "choose another kernel (--kernel), another filesystem, or an empty partition"
    return [stop("FILESYSTEM", what, "saver and restorer could not reach the file", fix)]
