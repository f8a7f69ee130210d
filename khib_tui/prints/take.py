"""Digests of places on disks: taken by B when A sleeps, and again by C before A wakes up."""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from khib_tui.errors import Refused
from khib_tui.i18n import _
from khib_tui.model.identity import DeviceKey, key_of
from khib_tui.model.machine import BlockDevice
from khib_tui.model.origin import DiskPrint, Used
from khib_tui.model.ranges import Ranges, Spans
from khib_tui.model.units import KIB, MIB
from khib_tui.prints import bounds
from khib_tui.prints.layers import is_real
from khib_tui.prints.stack import ends

_PIECE = 1 * MIB
# What was digested of every device before it was known what counts.
_HEAD, _TAIL = 256 * KIB, 64 * KIB


def taken(devices: Iterable[BlockDevice], spared: Iterable[BlockDevice], used: Sequence[Used]) -> tuple[DiskPrint, ...]:
    """Take the prints of what A uses, at the places that it names, and of the ends of everything else.

    :param spared: what is not used by A and will be written to: the target.
    """
    real = [device for device in devices if is_real(device) and device.size]
    places, what = _by_key(used)
    needed = [device for device in real if key_of(device) in places]
    without = {device.name for device in (*needed, *spared)} | {device.disk for device in real if device.kind == "partition"}
    return (
        *(_print(device, places[key_of(device)], what[key_of(device)], needed=True) for device in needed),
        *(_print(device, Ranges.of(ends(device.size)).spans) for device in real if device.name not in without),
    )


def refuse_excess(used: Sequence[Used]) -> None:
    """See in A that its prints can be read, with half of the bounds left for what B finds beside.

    :raises Refused: so much would not be read again, and the image be refused.
    """
    places, _names = _by_key(used)
    if too_much := bounds.excess(((item.key.size, places[item.key]) for item in used), part=2):
        raise Refused(too_much, hint=_("unmount filesystems that are not needed meanwhile"), ident=bounds.IDENT)


def _by_key(used: Sequence[Used]) -> tuple[dict[DeviceKey, Spans], dict[DeviceKey, str]]:
    """Join what is used of devices with equal keys: nobody knows which is which."""
    places: dict[DeviceKey, Ranges] = defaultdict(Ranges)
    what: dict[DeviceKey, list[str]] = defaultdict(list)
    for item in used:
        places[item.key] |= Ranges.of(item.spots)
        what[item.key].append(item.what)
    return {key: spans.spans for key, spans in places.items()}, {key: ", ".join(words) for key, words in what.items()}


def again(devices: Iterable[BlockDevice], before: Sequence[DiskPrint]) -> tuple[DiskPrint, ...]:
    """Take the prints of the same devices at the same places, as far as they are there."""
    former: dict[DeviceKey, DiskPrint] = {}
    for item in before:
        former.setdefault(key_of_print(item), item)
    by_key = _devices_by_key(devices, former)
    return tuple(
        _print(device, item.spots, item.what, needed=item.needed, unit=item.unit)
        for key, item in former.items() for device in by_key[key]
    )  # fmt: skip


def key_of_print(item: DiskPrint) -> DeviceKey:
    """Return the key of a device; images that know no unit have '' for any."""
    return DeviceKey(item.disk_id, item.start, item.size, item.serial, item.unit or "")


def _devices_by_key(
    devices: Iterable[BlockDevice], former: Mapping[DeviceKey, DiskPrint]
) -> dict[DeviceKey, list[BlockDevice]]:  # fmt: skip
    """Find the devices of each key; one of an image that knows no unit is any with the rest equal."""
    found: dict[DeviceKey, list[BlockDevice]] = {key: [] for key in former}
    old = any(item.unit is None for item in former.values())
    for device in devices:
        key = _key(device, not old)
        if key in found and is_real(device):
            found[key].append(device)
    return found


def absent(devices: Iterable[BlockDevice], wanted: Iterable[DeviceKey], *, units: bool = True) -> list[DeviceKey]:
    """Return the keys that are wanted and not there; of equal keys so many as are wanted must be.

    :param units: whether the keys know the units of devices.
    """
    there = Counter(_key(device, units) for device in devices if is_real(device))
    missing = []
    for key in wanted:
        if there[key] <= 0:
            missing.append(key)
        there[key] -= 1
    return missing


def _key(device: BlockDevice, units: bool) -> DeviceKey:
    key = key_of(device)
    return key if units else DeviceKey(key.disk_id, key.start, key.size, key.serial)


def _print(
    device: BlockDevice, spots: Spans, what: str = "", *, needed: bool = False, unit: str | None = ""
) -> DiskPrint:  # fmt: skip
    return DiskPrint(
        device.name, device.disk_id, device.start, device.size, device.serial, device.label, digest(device, spots),
        unit if unit is None else device.unit, needed, spots, what,
    )  # fmt: skip


def digest(device: BlockDevice, spots: Spans) -> str:
    """Return the SHA-256 of places on a device, in hexadecimal; '' if it cannot be read.

    :param spots: the places; without them the first 256 KiB, then the last 64 KiB.
    """
    places = spots or ((0, min(_HEAD, device.size)), (max(device.size - _TAIL, 0), device.size))
    state = hashlib.sha256()
    try:
        fd = os.open(device.path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        for start, end in places:
            for at in range(start, end, _PIECE):
                state.update(_read(fd, at, min(end - at, _PIECE)))
    except OSError:
        return ""
    finally:
        os.close(fd)
    return state.hexdigest()


def _read(fd: int, at: int, count: int) -> bytes:
    """Read exactly so much.

    :raises OSError: there is less.
    """
    data = os.pread(fd, count, at)
    if len(data) != count:
        raise OSError(_("only {got} of {count} bytes at {at}").format(got=len(data), count=count, at=at))
    return data
