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
from khib_tui.i18n import _
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
    "btrfs": ("BTRFS_FS",), "vfat": ("VFAT_FS",), "nfs": ("NFS_FS",),
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
    if target.remote:
        return []  # what speaks against it is on another machine, and is asked for there
    device = machine.device(target.device)
    if device is None:
        fix = _("plug it in, or choose one that the wizard lists (`khib`, page 'Image target') or `lsblk`")
        return [
            stop(
                "MISSING",
                _("{device} is not there").format(device=target.device),
                _("there is no disk or partition of this name"),
                fix,
            )
        ]
    in_use = list(_users(machine.devices, device))
    held = [] if in_use else list(_content(machine.devices, device, target))
    kind = [*diskkind.reasons(machine.devices, device), *_twins(machine.devices, device), *_memory(machine, device)]
    return [*in_use, *held, *kind, *_limits(device, target, room.needed(machine, target, need_bytes))]


def doubts(machine: Machine, target: Target) -> list[Finding]:
    """Return what facts that khib made before it looked for content leave open: never so on the running system."""
    device = machine.device(target.device)
    if device is None or target.kind is not Kind.PARTITION or device.fstype or device.content or device.table:
        return []
    what = _("these facts do not say whether {device} is empty").format(device=device.path)
    fix = _("make them anew on that machine: khib facts")
    return [Finding("HIB-W-TARGET-CONTENT", Severity.WARNING, what, _("an older khib made them"), fix)]


def candidates(machine: Machine, need_bytes: int) -> list[tuple[Target, list[Finding]]]:
    """List every partition and every disk without partitions, swaps and files of A's own, each with the reasons against it."""
    divided = {device.disk for device in machine.devices}
    places = [item for item in machine.devices if item.kind in PLACES and item.name not in divided]
    found = [*(Target(device.path) for device in places), *targets.swaps(machine.devices), *ownplace.candidates(machine)]
    return [(target, refusals(machine, target, need_bytes)) for target in found]


def _users(devices: Sequence[BlockDevice], device: BlockDevice) -> Iterator[Finding]:
    stack = above(devices, device)
    for user in stack:
        through = "" if user is device else _(" through {user}").format(user=user.path)
        if user.mounts:
            what = _("{device} is mounted at {places}{through}").format(
                device=device.path, places=", ".join(clean(point) for point in user.mounts[:3]), through=through
            )
            why = _("the sleeping system would go on using it and both contents would be destroyed")
            yield stop("MOUNTED", what, why, _("choose another one, or unmount it"))
        if user.swap:
            fix = _("let the image borrow it (--target swap:{user}), choose another one, or `swapoff {user}`").format(
                user=user.path
            )
            yield stop(
                "SWAP",
                _("{device} is active swap{through}").format(device=device.path, through=through),
                _("pages of the sleeping system are on it"),
                fix,
            )
    stacked = {user.name for user in stack if user.slaves and user is not device}
    if holders := sorted(stacked.union(*(user.holders for user in stack))):
        what = _("{device} is used by {users}").format(device=device.path, users=", ".join(holders))
        why = _("LVM, RAID, encryption or a filesystem works on it now")
        yield stop("HOLDERS", what, why, _("choose another one, or stop its user"))


def _content(devices: Sequence[BlockDevice], device: BlockDevice, target: Target) -> Iterator[Finding]:
    if not device.readable:
        why = _("so nobody can tell what is on it")
        yield stop(
            "UNREADABLE",
            _("{device} cannot be read").format(device=device.path),
            why,
            _("run as root; if you did, the disk may be failing"),
        )
    elif not target.path:
        yield from content.reasons(devices, device)
    elif device.fstype not in FILE_SYSTEMS:
        why = _("the saver can put a file on {kinds} only").format(kinds=", ".join(FILE_SYSTEMS))
        what = _("{device} holds {content}").format(device=device.path, content=content.held(device) or _("no filesystem"))
        yield stop("FILESYSTEM", what, why, _("choose another filesystem"))
    yield from content.of_the_disk(devices, device)


def _memory(machine: Machine, device: BlockDevice) -> Iterator[Finding]:
    if made_of_ram(machine, device):
        why = _("what is on it is gone when the power goes")
        yield stop("RAM", _("{device} is made of memory").format(device=device.path), why, _("choose a disk"))


def _twins(devices: Sequence[BlockDevice], device: BlockDevice) -> Iterator[Finding]:
    others = [item.path for item in devices if item is not device and key_of(item) == key_of(device)]
    if others:
        what = _("nothing tells {device} and {others} apart but their names").format(
            device=device.path, others=", ".join(others)
        )
        why = _("after a restart the names may be others, and the image could be looked for, or written, on the wrong one")
        yield stop("DUPLICATE", what, why, _("unplug one, give the disk a partition table of its own, or choose another"))


def _limits(device: BlockDevice, target: Target, need_bytes: int) -> Iterator[Finding]:
    if device.read_only:
        yield stop(
            "READONLY",
            _("{device} is read-only").format(device=device.path),
            _("the image cannot be written"),
            _("remove its write protection"),
        )
    if device.size < need_bytes:
        what = _("{device} has {size}, the image may need {needed}").format(
            device=device.path, size=size(device.size), needed=size(need_bytes)
        )
        yield stop("SMALL", what, _("saving would stop for lack of room"), _("choose a larger one"))
    limit = file_limit(device) if target.path else 0
    if limit and limit < need_bytes:
        what = _("{fstype} on {device} takes files of at most {size}, the image may need {needed}").format(
            fstype=device.fstype, device=device.path, size=size(limit), needed=size(need_bytes)
        )
        why = _("saving would stop there")
        yield stop("FILESIZE", what, why, _("choose another filesystem, or an empty partition"))


def file_limit(device: BlockDevice) -> int:
    """Return the bytes of the largest file that the filesystem on a device takes; 0 if there is no limit that matters."""
    return VFAT_LIMIT if device.fstype == "vfat" else device.file_limit


def filesystem(machine: Machine, settings: Settings) -> str:
    """Return on what kind of filesystem the chosen target's file lies, or `ssh`; '' for a partition, or if none is chosen."""
    try:
        target = targets.resolved(targets.parse(settings.target), machine.devices)
    except KhibError:
        return ""
    if target.remote:
        return str(target.remote.scheme)
    device = machine.device(target.device)
    return device.fstype if target.kind is Kind.FILE and device else ""


def without_driver(kernel: KernelFile, fstype: str) -> list[Finding]:
    """Return why a kernel cannot write a file on a filesystem: its configuration names filesystems, but not this one."""
    listed = any(name.endswith("_FS") for name in kernel.config)
    if fstype not in DRIVERS or not listed or any(kernel.config.get(name) in ("y", "m") for name in DRIVERS[fstype]):
        return []
    what = _("kernel {release} has no driver for {fstype}").format(release=kernel.release, fstype=fstype)
    fix = _("choose another kernel (--kernel), another filesystem, or an empty partition")
    return [stop("FILESYSTEM", what, _("saver and restorer could not reach the file"), fix)]
