"""What A uses at this moment (mounted filesystems, active swap), down to places on real disks."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct, field

from khib_tui.facts.blockdev import reader
from khib_tui.model.identity import DeviceKey, TargetRef, key_of
from khib_tui.model.machine import BlockDevice
from khib_tui.model.origin import Used
from khib_tui.model.ranges import Ranges
from khib_tui.model.text import clean
from khib_tui.prints import areas
from khib_tui.prints.layers import is_real, stack_of
from khib_tui.prints.stack import Stack, leaves, resolve

# Filesystems that tell the kernel's lists neither their devices nor their mounts.
_HIDDEN = frozenset({"zfs_member"})
# Holders that are devices, which are looked at by themselves.
_MAPPING = re.compile(r"(dm-|md|bcache|loop|drbd|nvme|sd)\w*$")


class Uses(Struct):
    """What is used of each real device, by its kernel name; `blind` names what is used through a layer nobody sees through."""

    places: dict[str, Ranges] = field(default_factory=lambda: defaultdict(Ranges))
    what: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    blind: list[str] = field(default_factory=list)


def used(
    devices: Sequence[BlockDevice], root: Path = Path("/"), stack: Stack | None = None
) -> tuple[tuple[Used, ...], list[str]]:
    """Find the disks that A uses, and on each the places that tell whether what A has there was changed.

    What has no place on a disk is left out: files as disks, memory as disks, disks of the network.

    :param devices: as they are now.
    :returns: them, and names of what lies where that cannot be told exactly.
    """
    stack = stack or stack_of(devices, root)
    found = Uses()
    for device in devices:
        if word := use_of(device):
            _add(found, device, word, stack, root)
    listed = [device for device in devices if device.name in found.places and is_real(device)]
    return tuple(_used(device, found) for device in listed), found.blind


def _used(device: BlockDevice, found: Uses) -> Used:
    spans = areas.whole_pages(found.places[device.name], device.size).spans
    return Used(key_of(device), device.name, ", ".join(dict.fromkeys(found.what[device.name])), spans)


def without(found: Sequence[Used], place: TargetRef | None) -> tuple[Used, ...]:
    """Leave out what the image itself is written to: ranges of a disk that A uses."""
    if place is None or not place.spans:
        return tuple(found)
    ours = Ranges.of(place.spans)
    return tuple(
        msgspec.structs.replace(item, spots=(Ranges.of(item.spots) - ours).spans) if item.key == place.key else item
        for item in found
    )  # fmt: skip


def joined(found: Sequence[Used], more: Sequence[Used]) -> tuple[Used, ...]:
    """Return all that is used, each disk once: two that look the same are two disks to whoever looks for them."""
    places: dict[tuple[DeviceKey, str], Used] = {}
    for item in (*found, *more):
        there = places.get((item.key, item.name))
        if there:
            spots = (Ranges.of(there.spots) | Ranges.of(item.spots)).spans
            item = msgspec.structs.replace(there, what=f"{there.what}, {item.what}", spots=spots)
        places[item.key, item.name] = item
    return tuple(places.values())


def use_of(device: BlockDevice) -> str:
    """Return what a device is used for, in a word or two; empty if it is not, as far as anybody can see."""
    if device.mounts:
        return clean(min(device.mounts, key=len))
    if device.swap:
        return "swap"
    if device.fstype in _HIDDEN:
        return device.fstype
    return ", ".join(holder for holder in device.holders if not _MAPPING.match(holder))


def forget(root: Path, name: str) -> None:
    """Drop what the kernel has read of a device: XFS and F2FS write past that, so it may be old."""
    with suppress(OSError):
        fd = os.open(root / "dev" / name.replace("!", "/"), os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(fd)


def _add(found: Uses, device: BlockDevice, word: str, stack: Stack, root: Path) -> None:
    forget(root, device.name)
    read = reader(root, device.name)
    chosen = areas.of("swap" if device.swap else device.fstype, device.size, read, rotational=device.rotational)
    places, blind = resolve(stack, device.name, chosen)
    for name in blind:
        size = stack.sizes.get(name, 0)
        places[name] = places.get(name, Ranges()) | areas.whole_pages(areas.sampled(size, areas.MANY_SAMPLES), size)
    if blind:
        found.blind.append(word)
    for name in leaves(stack, device.name):
        if name in places:
            found.places[name] |= places[name]
            found.what[name].append(word)
