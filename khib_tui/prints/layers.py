"""What lies on what, as this system has it now: partitions, device mapper, md."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from khib_tui.facts.read import names, number, text
from khib_tui.model.machine import BlockDevice
from khib_tui.model.units import KIB
from khib_tui.prints import dmtable
from khib_tui.prints.dmtable import SECTOR
from khib_tui.prints.stack import Member, Segment, Stack, Way

REAL = frozenset({"disk", "partition"})
_RAID_PARITY = {"raid4": 1, "raid5": 1, "raid6": 2}


def stack_of(
    devices: Sequence[BlockDevice], root: Path = Path("/"), table: Callable[[str], list[dmtable.Target]] = dmtable.table
) -> Stack:
    """Find out how all devices that lie on others do so.

    :param table: asks the kernel for the table of a mapped device.
    """
    numbers = {text(root / "sys/class/block" / device.name / "dev", 64): device.name for device in devices}
    by_number = {found: name for found, name in numbers.items() if found}
    named = {device.name: device for device in devices}
    segments = {device.name: _segments(device, named, by_number, root, table) for device in devices}
    return Stack(
        {name: found for name, found in segments.items() if found}, {device.name: device.size for device in devices}
    )  # fmt: skip


def is_real(device: BlockDevice) -> bool:
    """Return whether a device is a disk, or a partition, that B and C find as well, if nothing lies below it."""
    return device.kind in REAL and not device.slaves


def _segments(
    device: BlockDevice, devices: Mapping[str, BlockDevice], by_number: Mapping[str, str], root: Path,
    table: Callable[[str], list[dmtable.Target]],
) -> tuple[Segment, ...]:  # fmt: skip
    if device.kind == "partition":
        disk = devices.get(device.disk)
        if disk is None or is_real(disk):
            return ()
        return (Segment(0, device.size, Way.EACH, (Member(disk.name, device.start),)),)
    if device.kind == "dm":
        try:
            lines = table(text(root / "sys/class/block" / device.name / "dev", 64))
        except (OSError, ValueError):
            return _unknown(device)
        return dmtable.segments(lines, by_number, device.slaves)
    if device.kind == "md":
        return _array(device, root / "sys/class/block" / device.name / "md") or _unknown(device)
    return _unknown(device) if device.slaves else ()


def _unknown(device: BlockDevice) -> tuple[Segment, ...]:
    return (Segment(0, device.size, Way.UNKNOWN, tuple(Member(name) for name in device.slaves)),)


def _array(device: BlockDevice, sysfs: Path) -> tuple[Segment, ...]:
    """Read an array of md (Documentation/admin-guide/md.rst); () where it is not plain arithmetic."""
    level, count, chunk = text(sysfs / "level", 64), number(sysfs / "raid_disks"), number(sysfs / "chunk_size")
    members, sizes = _slots(sysfs, count)
    if not any(member.name for member in members) or text(sysfs / "reshape_position", 64) not in ("", "none"):
        return ()
    if level == "raid1":
        return (Segment(0, device.size, Way.EACH, members),)
    if chunk <= 0 or chunk % SECTOR:
        return ()
    if level in _RAID_PARITY and count > _RAID_PARITY[level]:
        return (Segment(0, device.size, Way.ROWS, members, chunk, _RAID_PARITY[level]),)
    layout = number(sysfs / "layout")
    if level == "raid0" and len({size // chunk for size in sizes}) == 1:
        return (Segment(0, device.size, Way.STRIPES, members, chunk),)
    if level == "raid10" and layout >> 8 == 1 and 0 < layout & 0xFF <= count:
        return (Segment(0, device.size, Way.STRIPES, members, chunk, layout & 0xFF),)
    return ()


def _slots(sysfs: Path, count: int) -> tuple[tuple[Member, ...], list[int]]:
    """Return the members of an array by their slots, and the bytes of them that it uses."""
    members, sizes = [Member("")] * count, []
    for entry in names(sysfs):
        slot = text(sysfs / entry / "slot", 64)
        if entry.startswith("dev-") and re.fullmatch(r"\d{1,4}", slot) and int(slot) < count:
            members[int(slot)] = Member(entry.removeprefix("dev-"), number(sysfs / entry / "offset") * SECTOR)
            sizes.append(number(sysfs / entry / "size") * KIB)
    return tuple(members), sizes
