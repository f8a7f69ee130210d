"""Where the image may go: a partition (or a disk without partitions), or a file on a filesystem that A has not mounted.

Names such as `/dev/vdb1` are for people; between A, B and C a device is known by its DeviceKey. Sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from khib_tui.decide.ramdisk import made_of_ram
from khib_tui.events.types import Finding, Severity
from khib_tui.model.identity import key_of
from khib_tui.model.machine import BlockDevice, Machine
from khib_tui.model.target import FILE_SYSTEMS, KHIB, Target
from khib_tui.model.text import clean
from khib_tui.model.units import size


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
    """Return why an image of `need_bytes` cannot go there; all blockers, empty if it can."""
    device = machine.device(target.device)
    if device is None:
        fix = "plug it in, or choose one that `khib status` lists"
        return [_stop("MISSING", f"{target.device} is not there", "there is no disk or partition of this name", fix)]
    in_use = list(_users(machine.devices, device))
    content = [] if in_use else list(_content(machine.devices, device, target))
    return [*in_use, *content, *_twins(machine.devices, device), *_memory(machine, device), *_limits(device, need_bytes)]


def candidates(machine: Machine, need_bytes: int) -> list[tuple[Target, list[Finding]]]:
    """List every partition and every disk without partitions, each with the reasons against it."""
    divided = {device.disk for device in machine.devices}
    places = [item for item in machine.devices if item.kind in ("partition", "disk") and item.name not in divided]
    targets = [Target(device.path) for device in places]
    return [(target, refusals(machine, target, need_bytes)) for target in targets]


def _stop(ident: str, what: str, why: str, fix: str) -> Finding:
    return Finding(f"HIB-E-TARGET-{ident}", Severity.BLOCKER, what, why, fix)


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
    elif held and held != KHIB:
        file = f", or put the image into a file: {device.path}:/hibernate.khib" if device.fstype in FILE_SYSTEMS else ""
        yield _foreign(device, held, file)
    elif device.table or any(item.disk == device.name for item in devices):
        yield _foreign(device, f"a partition table ({device.table or 'unknown'})", ", or choose one of its partitions")


def _foreign(device: BlockDevice, held: str, or_else: str) -> Finding:
    fix = f"if nothing on it is needed: wipefs -a {device.path}{or_else}"
    return _stop("FOREIGN", f"{device.path} holds {held}", "the image would overwrite it", fix)


def _memory(machine: Machine, device: BlockDevice) -> Iterator[Finding]:
    if made_of_ram(machine, device):
        why = "what is on it is gone when the power goes"
        yield _stop("RAM", f"{device.path} is made of memory", why, "choose a disk")


def _twins(devices: Sequence[BlockDevice], device: BlockDevice) -> Iterator[Finding]:
    others = [item.path for item in devices if item is not device and key_of(item) == key_of(device)]
    if others:
        what = f"nothing tells {device.path} and {', '.join(others)} apart but their names"
        why = "after a restart the names may be others, and the image could be looked for, or written, on the wrong one"
        yield _stop("DUPLICATE", what, why, "unplug one, give the disk a partition table of its own, or choose another")


def _limits(device: BlockDevice, need_bytes: int) -> Iterator[Finding]:
    if device.kind not in ("partition", "disk"):
        why = "saver and restorer use disks and their partitions only"
        yield _stop("KIND", f"{device.path} is a {device.kind} device", why, "choose a partition")
    if device.read_only:
        yield _stop("READONLY", f"{device.path} is read-only", "the image cannot be written", "remove its write protection")
    if device.size < need_bytes:
        what = f"{device.path} has {size(device.size)}, the image may need {size(need_bytes)}"
        yield _stop("SMALL", what, "saving would stop for lack of room", "choose a larger one")
