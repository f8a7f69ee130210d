"""Who uses which block device: mounts, swaps, filesystem drivers, loop files; keyed by kernel names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct, field

from khib_tui.facts.read import names, text, unescape
from khib_tui.model.machine import Swap
from khib_tui.model.units import KIB


class Usage(Struct):
    """`mounts` are raw paths, `drivers` filesystems without a mount we can see, `backing` what a loop device reads.

    `swaps` has those on a whole device without a path, those in files with theirs.
    """

    mounts: dict[str, list[str]] = field(default_factory=dict)
    swaps: dict[str, list[Swap]] = field(default_factory=dict)
    drivers: dict[str, list[str]] = field(default_factory=dict)
    backing: dict[str, list[str]] = field(default_factory=dict)


class Mount(Struct, frozen=True):
    """A mount: the device's number, the path within its filesystem, where it is, and its devices as /proc spells them."""

    number: str
    inside: str
    point: str
    sources: tuple[str, ...]


def read_usage(root: Path, sysfs: Mapping[str, Path]) -> Usage:
    """Ask /proc and /sys who uses the devices in `sysfs` (kernel name to directory)."""
    numbers = {text(path / "dev", 64): name for name, path in sysfs.items()}
    nodes = _nodes(sysfs)
    backing = {name: nodes.get(text(path / "loop/backing_file", 4096), "") for name, path in sysfs.items()}
    mounts: dict[str, list[str]] = defaultdict(list)
    for mount in read_mounts(root):
        users = [numbers.get(mount.number, ""), *(nodes.get(source, "") for source in mount.sources)]
        for name in filter(None, users):
            if mount.point not in mounts[name]:
                mounts[name].append(mount.point)
    drivers = _share_btrfs(root, mounts)
    swaps = _by_device(read_swaps(root), nodes, mounts)
    return Usage(dict(mounts), swaps, drivers, {name: [under] for name, under in backing.items() if under})


def mounted_now(root: Path = Path("/")) -> list[str]:
    """Return where the filesystems on block devices are mounted in this namespace, at this moment: one place for each."""
    places: dict[str, str] = {}
    for mount in read_mounts(root, ("self",)):
        if mount.sources or not mount.number.startswith("0:"):
            places.setdefault(mount.number, mount.point)
    return list(places.values())


def _nodes(sysfs: Mapping[str, Path]) -> dict[str, str]:
    """Map device nodes, as /proc spells them, to kernel names."""
    nodes = {f"/dev/{name.replace('!', '/')}": name for name in sysfs}
    mapped = {f"/dev/mapper/{text(path / 'dm/name', 256)}": name for name, path in sysfs.items() if (path / "dm").is_dir()}
    return nodes | mapped


def read_mounts(root: Path, processes: Sequence[str] = ("self", "1")) -> Iterator[Mount]:
    """Read the mounts of this process, then those of the first one, whose namespace may differ (proc_pid_mountinfo(5))."""
    for process in processes:
        for line in text(root / "proc" / process / "mountinfo").splitlines():
            words = line.split(" ")
            if len(words) < 7 or "-" not in words[6:]:
                continue
            rest = words[words.index("-", 6) + 1 :]
            # bcachefs names all its devices, between colons.
            sources = tuple(unescape(rest[1]).split(":")) if len(rest) > 1 and rest[1].startswith("/dev/") else ()
            yield Mount(words[2], unescape(words[3]), unescape(words[4]), sources)


class ActiveSwap(Struct, frozen=True):
    """A line of /proc/swaps: a device node or the path of a file; bytes; the priority, negative if the kernel chose it."""

    source: str
    size: int
    used: int
    priority: int


def read_swaps(root: Path = Path("/")) -> list[ActiveSwap]:
    """List the swaps that are active at this moment."""
    lines = [line.split() for line in text(root / "proc/swaps").splitlines()[1:]]
    return [
        ActiveSwap(unescape(words[0]), int(words[2]) * KIB, int(words[3]) * KIB, int(words[4]))
        for words in lines if len(words) == 5 and all(re.fullmatch(r"-?\d{1,18}", word) for word in words[2:])
    ]  # fmt: skip


def _by_device(
    active: Sequence[ActiveSwap], nodes: Mapping[str, str], mounts: Mapping[str, list[str]]
) -> dict[str, list[Swap]]:
    found: dict[str, list[Swap]] = defaultdict(list)
    points = {point.rstrip("/") + "/": name for name, under in mounts.items() for point in under}
    for swap in active:
        around = [point for point in points if swap.source.startswith(point)]
        if swap.source in nodes:
            found[nodes[swap.source]].append(Swap(swap.size, swap.used))
        elif around and not swap.source.startswith("/dev/"):
            found[points[max(around, key=len)]].append(Swap(swap.size, swap.used, swap.source))
    return dict(found)


def _share_btrfs(root: Path, mounts: dict[str, list[str]]) -> dict[str, list[str]]:
    """Give all devices of one btrfs the mounts of the one that is named, or the driver as their user."""
    drivers: dict[str, list[str]] = {}
    for uuid in names(root / "sys/fs/btrfs"):
        members = names(root / "sys/fs/btrfs" / uuid / "devices")
        points = list(dict.fromkeys(point for name in members for point in mounts.get(name, [])))
        for name in members:
            if points:
                mounts[name] = points
            else:
                drivers[name] = ["btrfs"]
    return drivers
