"""Who uses a device: mounts of whatever process, filesystems over several devices, loop devices."""

from __future__ import annotations

from pathlib import Path

from khib_tui.facts import blockdev
from khib_tui.facts.usage import ActiveSwap, mounted_now, read_swaps
from khib_tui.model.machine import Machine, Swap
from tests.kit.faketree import Content, tree
from tests.kit.machines import device


def test_mounts_of_this_and_the_first_process(laptop: Machine) -> None:
    assert device(laptop, "dm-0").mounts == ("/", "/mnt/a b")
    assert device(laptop, "sda").mounts == ("/other",)


def test_swaps_are_told_of_the_device_and_of_the_filesystem_that_they_are_on(laptop: Machine) -> None:
    assert device(laptop, "nvme0n1p10").swaps == (Swap(1024, 0),)
    assert device(laptop, "dm-0").swaps == (Swap(1024, 0, "/swap file"),) and not device(laptop, "dm-0").swap


def test_lines_of_swaps_that_make_no_sense_are_left_out(tmp_path: Path) -> None:
    lines = "/dev/sda2 partition 2048 12 -2\n/odd file\n/dev/sdb1 partition x 0 5\n/dev/sdc1 partition 4 0 7\n"
    root = tree(tmp_path, {"proc/swaps": f"Filename Type Size Used Priority\n{lines}"})
    assert read_swaps(root) == [
        ActiveSwap("/dev/sda2", 2048 * 1024, 12 * 1024, -2), ActiveSwap("/dev/sdc1", 4096, 0, 7)
    ]  # fmt: skip


BTRFS: dict[str, Content] = {
    "sys/class/block/vda/size": "8\n", "sys/class/block/vda/dev": "254:0\n",
    "sys/class/block/vdb/size": "8\n", "sys/class/block/vdb/dev": "254:16\n",
    "sys/fs/btrfs/1234/devices/vda": "", "sys/fs/btrfs/1234/devices/vdb": "", "sys/fs/btrfs/features/": None,
}  # fmt: skip


def test_all_devices_of_a_mounted_btrfs_are_mounted(tmp_path: Path) -> None:
    mounted = {"proc/self/mountinfo": "9 1 0:33 /@ / rw - btrfs /dev/vda rw\n"}
    assert [item.mounts for item in blockdev.devices(tree(tmp_path, BTRFS | mounted))] == [("/",), ("/",)]


def test_a_btrfs_mounted_elsewhere_holds_its_devices(tmp_path: Path) -> None:
    assert [item.holders for item in blockdev.devices(tree(tmp_path, BTRFS))] == [("btrfs",), ("btrfs",)]


def test_bcachefs_and_loop_devices_name_what_they_use(tmp_path: Path) -> None:
    files: dict[str, Content] = {
        "sys/class/block/vda/size": "8\n", "sys/class/block/vdb/size": "8\n", "sys/class/block/loop0/size": "8\n",
        "sys/class/block/loop0/loop/backing_file": "/dev/vdb\n",
        "proc/self/mountinfo": "9 1 0:40 / /data rw - bcachefs /dev/vda:/dev/vdb rw\n",
    }  # fmt: skip
    loop, *disks = blockdev.devices(tree(tmp_path, files))
    assert (loop.kind, loop.slaves) == ("loop", ("vdb",))
    assert [item.mounts for item in disks] == [("/data",), ("/data",)]


def test_what_is_mounted_now_is_one_place_for_each_filesystem_on_disks(tmp_path: Path) -> None:
    proc = tmp_path / "proc/self"
    proc.mkdir(parents=True)
    (proc / "mountinfo").write_text(
        "21 1 254:2 / / rw - ext4 /dev/root rw\n"
        "22 21 0:20 / /proc rw - proc proc rw\n"
        "23 21 0:40 /@home /home rw - btrfs /dev/vdb1 rw\n"
        "24 21 254:2 /srv /mnt/again rw - ext4 /dev/root rw\n"
        "25 21 254:17 / /boot\\040efi rw shared:1 - vfat /dev/vdb2 rw\n"
    )
    assert mounted_now(tmp_path) == ["/", "/home", "/boot efi"]
