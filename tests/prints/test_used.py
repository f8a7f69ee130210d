"""What a system uses, as it is handed over: filesystems and swap on stacks, and what is none of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.facts import blockdev
from khib_tui.model.identity import DeviceKey, key_of
from khib_tui.model.machine import BlockDevice
from khib_tui.model.origin import Used
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import GIB, KIB, MIB, PAGE
from khib_tui.prints.stack import Member, Segment, Stack, Way
from khib_tui.prints.used import joined, use_of, used
from tests.kit import fakeroot

DISK = BlockDevice("sda", GIB, "disk", serial="S")
PART = BlockDevice("sda1", 512 * MIB, "partition", disk="sda", start=MIB, serial="S")
OPENED = BlockDevice("dm-0", 480 * MIB, "dm", slaves=("sda1",))
ROOT = BlockDevice("dm-1", 256 * MIB, "dm", fstype="btrfs", slaves=("dm-0",), mounts=("/home", "/"))
SWAP = BlockDevice("dm-2", 8 * MIB, "dm", fstype="swap", slaves=("dm-0",), swap=True)
DATA = BlockDevice("dm-3", 8 * MIB, "dm", fstype="ext4", slaves=("dm-0",))
ALL = [DISK, PART, OPENED, ROOT, SWAP, DATA]


def each(size: int, name: str, at: int) -> tuple[Segment, ...]:
    return (Segment(0, size, Way.EACH, (Member(name, at),)),)


STACK = Stack(
    {
        "dm-0": each(480 * MIB, "sda1", 16 * MIB), "dm-1": each(256 * MIB, "dm-0", MIB),
        "dm-2": each(8 * MIB, "dm-0", 300 * MIB), "dm-3": each(8 * MIB, "dm-0", 310 * MIB),
    },
    {item.name: item.size for item in ALL},
)  # fmt: skip


def test_filesystem_and_swap_are_followed_to_the_partition(tmp_path: Path) -> None:
    (found,), blind = used(ALL, tmp_path, STACK)
    assert (found.key, found.name, found.what, blind) == (key_of(PART), "sda1", "/, swap", [])
    spots, base = Ranges.of(found.spots), 16 * MIB
    head_of_partition, head_of_opened = (0, 256 * KIB), (base, base + 256 * KIB)
    superblock = (base + MIB + 64 * KIB, base + MIB + 68 * KIB)
    clusters = [(base + 300 * MIB + at, base + 300 * MIB + at + PAGE) for at in range(0, 8 * MIB, 2 * MIB)]
    assert spots.covers(Ranges.of([head_of_partition, head_of_opened, superblock, *clusters]))
    unused = (base + 310 * MIB, base + 318 * MIB)
    assert not spots & Ranges.of([unused])


def test_what_nobody_sees_through_is_sampled_and_said(tmp_path: Path) -> None:
    thin = Stack({**STACK.segments, "dm-1": (Segment(0, 256 * MIB, Way.UNKNOWN, (Member("dm-0"),)),)}, STACK.sizes)
    (found,), blind = used(ALL, tmp_path, thin)
    assert blind == ["/"] and Ranges.of(found.spots).total > 4 * MIB


@pytest.mark.parametrize(
    ("device", "use"),
    [
        (BlockDevice("sda1", 1, "partition", holders=("btrfs",)), "btrfs"),
        (BlockDevice("sda1", 1, "partition", holders=("dm-0", "md127")), ""),
        (BlockDevice("sda1", 1, "partition", fstype="zfs_member"), "zfs_member"),
        (BlockDevice("sda1", 1, "partition", fstype="ext4"), ""),
        (BlockDevice("sda1", 1, "partition", mounts=("/a/b", "/c")), "/c"),
    ],
)
def test_who_uses_it(device: BlockDevice, use: str) -> None:
    assert use_of(device) == use


def test_disks_in_memory_and_files_as_disks_are_none_of_ours(tmp_path: Path) -> None:
    listed = [
        BlockDevice("zram0", GIB, "zram", fstype="swap", swap=True),
        BlockDevice("loop0", MIB, "loop", fstype="squashfs", mounts=("/snap/x",)),
        BlockDevice("loop1p1", MIB, "partition", disk="loop1", fstype="ext4", mounts=("/mnt",)),
        BlockDevice("loop1", 2 * MIB, "loop"),
    ]
    assert used(listed, tmp_path) == ((), [])


def test_two_drives_of_an_enclosure_with_one_serial_have_keys_of_their_own(tmp_path: Path) -> None:
    one, two = blockdev.devices(fakeroot.make(tmp_path, "14b-btrfs-on-two-raw-usb-disks"))
    assert one.serial == two.serial and (one.unit, two.unit) == ("", "1") and key_of(one) != key_of(two)


def test_a_disk_that_is_used_and_watched_is_one_disk() -> None:
    one, twin = DeviceKey("disk", 0, GIB, "serial"), DeviceKey("other", 0, GIB, "serial")
    root = Used(one, "sda2", "/", ((0, PAGE), (MIB, MIB + PAGE)))
    header = Used(one, "sda2", "a swap", ((PAGE, 2 * PAGE),))
    copy = Used(one, "sdb2", "/copy", ((0, PAGE),))
    assert joined((root, copy), (header,)) == (
        Used(one, "sda2", "/, a swap", ((0, 2 * PAGE), (MIB, MIB + PAGE))), copy,
    )  # fmt: skip
    assert joined((root,), (Used(twin, "sda2", "x", ()),)) == (root, Used(twin, "sda2", "x", ()))
