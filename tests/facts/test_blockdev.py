"""Disks, partitions and mappings: what they are, and how they are told apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.facts import blockdev, probe
from khib_tui.model.machine import Machine
from tests.kit.faketree import MIB, Content, Link, tree
from tests.kit.laptop import DISK, DISKS, DM, NVME, PART1, PART2
from tests.kit.machines import device


def test_devices_in_natural_order_without_empty_ones(laptop: Machine) -> None:
    assert [item.name for item in laptop.devices] == ["dm-0", "nvme0n1", "nvme0n1p1", "nvme0n1p10", "sda"]
    assert [item.kind for item in laptop.devices] == ["dm", "disk", "partition", "partition", "disk"]


def test_partition(laptop: Machine) -> None:
    part = device(laptop, "/dev/nvme0n1p1")
    assert (part.disk, part.disk_id, part.start, part.size) == ("nvme0n1", DISK, MIB, MIB)
    assert (part.partuuid, part.serial, part.model) == (PART1, "S4GENX0R", "SAMSUNG MZ\\x1b")
    assert (part.fstype, part.holders, part.mounts, part.swap) == ("LVM2_member", ("dm-0",), (), False)
    assert not part.read_only and not part.rotational and part.readable
    other = device(laptop, "nvme0n1p10")
    assert (other.partuuid, other.fstype, other.read_only, other.swap) == (PART2, "khib", True, True)


def test_disks_and_mappings(laptop: Machine) -> None:
    disk, stick, root = device(laptop, "nvme0n1"), device(laptop, "sda"), device(laptop, "dm-0")
    assert (disk.table, disk.disk_id, disk.start, disk.partuuid) == ("gpt", DISK, 0, "")
    assert (stick.table, stick.disk_id, stick.serial, stick.model) == ("dos", "c3072e18", "4C53", "SanDisk Ultra")
    assert stick.removable and stick.rotational
    assert (root.fstype, root.label, root.slaves) == ("ext4", "root", ("nvme0n1p1",))


def test_what_cannot_be_read_stays_blank(tmp_path: Path) -> None:
    files = {name: content for name, content in DISKS.items() if not name.startswith("dev/")}
    part = device(probe.probe(tree(tmp_path, files)), "nvme0n1p1")
    assert (part.readable, part.disk_id, part.fstype, part.size) == (False, "", "", MIB)


def test_a_suspended_mapping_is_not_opened(tmp_path: Path) -> None:
    root = device(probe.probe(tree(tmp_path, DISKS | {f"{DM}/dm/suspended": "1\n"})), "dm-0")
    assert (root.readable, root.fstype) == (False, "")


def test_write_protection_of_a_disk_covers_its_partitions(tmp_path: Path) -> None:
    found = probe.probe(tree(tmp_path, DISKS | {f"{NVME}/ro": "1\n"}))
    assert device(found, "nvme0n1p1").read_only and device(found, "nvme0n1").read_only


def test_hidden_paths_of_a_disk_are_left_out(tmp_path: Path) -> None:
    found = probe.probe(tree(tmp_path, DISKS | {f"{NVME}/hidden": "1\n"}))
    assert "nvme0n1" not in [item.name for item in found.devices]


@pytest.mark.parametrize(
    ("path", "content", "serial"),
    [
        ("serial", "2001114\n", "2001114"),
        ("device/vpd_pg80", b"\0\x80\0\x08WD-1234\0", "WD-1234"),
        ("device/wwid", "naa.5000\n", "naa.5000"),
        ("device/serial", "0x1a2b\n", "0x1a2b"),
    ],
)
def test_serial_numbers(tmp_path: Path, path: str, content: Content, serial: str) -> None:
    disk = "sys/devices/pci/virtio1/block/vda"
    files = {"sys/class/block/vda": Link(f"../../../{disk}"), f"{disk}/size": "8\n", f"{disk}/{path}": content}
    found = blockdev.devices(tree(tmp_path, files | {f"{disk}/device/vendor": "0x1af4\n"}))
    assert [(item.serial, item.model) for item in found] == [(serial, "")]


@pytest.mark.parametrize(
    ("disk", "files", "unit"),
    [
        ("sys/devices/pci/block/sda", {"device": Link("../../3:0:0:0")}, ""),
        ("sys/devices/pci/block/sda", {"device": Link("../../3:0:0:2")}, "2"),
        ("sys/devices/pci/block/nvme0n1", {"nsid": "1\n"}, ""),
        ("sys/devices/pci/block/nvme0n2", {"nsid": "2\n"}, "2"),
        ("sys/devices/pci/block/mmcblk0", {}, ""),
        ("sys/devices/pci/block/mmcblk0boot1", {}, "boot1"),
        ("sys/devices/pci/block/vda", {}, ""),
    ],
)
def test_what_one_serial_number_has_several_of(tmp_path: Path, disk: str, files: dict[str, Content], unit: str) -> None:
    name = Path(disk).name
    below = {f"{disk}/{path}": content for path, content in files.items()}
    made = tree(tmp_path, {f"sys/class/block/{name}": Link(f"../../../{disk}"), f"{disk}/size": "8\n", **below})
    assert [item.unit for item in blockdev.devices(made)] == [unit]
