"""Which boot loader a system has, read below made-up roots."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from khib_tui.facts.bootloader import EFIVARS, ESP_TYPES, XBOOTLDR_TYPES, read_boot
from khib_tui.model.boot import FIRMWARE_GUID, LOADER_GUID, BootFacts, Folder
from khib_tui.model.machine import BlockDevice
from tests.kit.faketree import Content, Link, tree

NEXT = 'if [ "${next_entry}" ] ; then\n   set default="${next_entry}"\nfi\n'
ENV = b"# GRUB Environment Block\n".ljust(1024, b"#")
CUSTOM = "if [ -f ${config_directory}/custom.cfg ]; then\n  source ${config_directory}/custom.cfg\nfi\n"
BLS = "insmod blscfg\nblscfg\n"
NUMBERS = {"sda1": "8:1", "sda2": "8:2", "sda3": "8:3", "sdb1": "8:17"}


def part(name: str, fstype: str, *mounts: str, **fields: str) -> BlockDevice:
    given = {"uuid": f"uuid-{name}", "partuuid": f"guid-{name}", **fields}
    return BlockDevice(name=name, size=1, kind="partition", disk=name[:3], fstype=fstype, mounts=mounts, **given)  # type: ignore[arg-type]


def esp(*mounts: str, name: str = "sda1") -> BlockDevice:
    return part(name, "vfat", *mounts, parttype=ESP_TYPES[0])


def read(
    root: Path, devices: list[BlockDevice], files: dict[str, Content], *, inside: dict[str, str] | None = None
) -> BootFacts:
    """Read the facts; each device is mounted where it says, with the root of the mount in `inside`."""
    lines = [
        f"1 0 {'0:30' if device.fstype == 'btrfs' else NUMBERS[device.name]} {(inside or {}).get(point, '/')} {point} rw - x y"
        for device in devices
        for point in device.mounts
    ]
    numbers = {f"sys/class/block/{device.name}/dev": NUMBERS[device.name] for device in devices}
    mounts = "".join(f"{line}\n" for line in [*lines, f"9 0 0:9 / /{EFIVARS} rw - efivarfs efivarfs rw"])
    return read_boot(tree(root, {"boot/": None, **files, **numbers, "proc/self/mountinfo": mounts}), devices)


def variable(name: str, value: str, guid: str = LOADER_GUID) -> dict[str, Content]:
    return {f"{EFIVARS}/{name}-{guid}": b"\x06\0\0\0" + f"{value}\0".encode("utf-16-le")}


def test_debian_with_grub_and_a_boot_partition(tmp_path: Path) -> None:
    devices = [part("sda1", "ext4", "/boot"), part("sda2", "ext4", "/")]
    facts = read(tmp_path, devices, {"boot/grub/grub.cfg": NEXT + CUSTOM, "boot/grub/grubenv": ENV})
    assert facts.grub == Folder("/boot/grub", "/grub", "sda1", "uuid-sda1", "ext4")
    assert facts.boot == Folder("/boot", "/", "sda1", "uuid-sda1", "ext4") and facts.esp is None
    assert facts.grub_custom and not facts.grub_bls and facts.grub_env and not facts.loader


def test_debian_with_grub_on_the_root(tmp_path: Path) -> None:
    facts = read(tmp_path, [part("sda2", "ext4", "/")], {"boot/grub/grub.cfg": "# source x/custom.cfg\n"})
    assert facts.boot == Folder("/boot", "/boot", "sda2", "uuid-sda2", "ext4") and not facts.grub_custom
    assert facts.boot.seen(Path("/boot/khib/vmlinuz")) == "/boot/khib/vmlinuz"


def test_a_subvolume_is_part_of_the_path_and_grub_cannot_write_there(tmp_path: Path) -> None:
    devices = [part("sda3", "btrfs", "/", "/home")]
    facts = read(
        tmp_path,
        devices,
        {"boot/grub2/grub.cfg": NEXT + CUSTOM, "boot/grub2/grubenv": ENV},
        inside={"/": "/@", "/home": "/@home"},
    )
    assert facts.boot == Folder("/boot", "/@/boot", "sda3", "uuid-sda3", "btrfs") and facts.grub_custom
    assert facts.grub and facts.grub.path == "/boot/grub2" and not facts.grub_env


def test_fedora_lists_entries_of_the_specification(tmp_path: Path) -> None:
    facts = read(tmp_path, [part("sda1", "ext4", "/boot")], {"boot/grub2/grub.cfg": BLS + CUSTOM})
    assert facts.grub_bls and facts.grub_custom
    assert not read(tmp_path / "other", [part("sda1", "ext4", "/boot")], {"boot/grub2/grub.cfg": "insmod blscfg\n"}).grub_bls


@pytest.mark.parametrize("point", ["/boot", "/efi", "/boot/efi"])
def test_systemd_boot_where_its_partition_is_mounted(tmp_path: Path, point: str) -> None:
    files = variable("LoaderInfo", "systemd-boot 257") | {
        f"{EFIVARS}/LoaderFeatures-{LOADER_GUID}": b"\x06\0\0\0" + bytes([8, *[0] * 7])
    }
    facts = read(tmp_path, [esp(point), part("sda2", "ext4", "/")], files)
    assert (facts.loader, facts.features) == ("systemd-boot 257", 8)
    assert facts.esp == Folder(point, "/", "sda1", "uuid-sda1", "vfat") and facts.xbootldr is None


def test_the_extended_boot_partition(tmp_path: Path) -> None:
    devices = [esp("/efi"), part("sda2", "vfat", "/boot", parttype=XBOOTLDR_TYPES[0])]
    facts = read(tmp_path, devices, {})
    assert facts.xbootldr and facts.xbootldr.path == "/boot" and facts.esp and facts.esp.path == "/efi"


def test_of_two_the_one_that_the_loader_came_from(tmp_path: Path) -> None:
    devices = [esp("/efi"), esp("/mnt", name="sdb1")]
    assert (read(tmp_path / "1", devices, {}).esp or Folder("")).device == "sda1"
    facts = read(tmp_path / "2", devices, variable("LoaderDevicePartUUID", "GUID-SDB1"))
    assert facts.esp and facts.esp.device == "sdb1" and facts.partition == "guid-sdb1"


def test_a_partition_that_is_not_mounted_is_none(tmp_path: Path) -> None:
    assert read(tmp_path, [esp()], {}).esp is None
    assert read_boot(tmp_path / "nothing", []) == BootFacts()


def test_the_firmware_s_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = read(tmp_path, [], variable("BootOrder", "x", FIRMWARE_GUID))
    assert facts.boot_order and not facts.boot_current and facts.efivars
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert not read_boot(tmp_path, []).efivars


@pytest.mark.parametrize(("config", "block", "fstype", "kind"), [
    ("", ENV, "ext4", "partition"), (NEXT, ENV[:-1], "ext4", "partition"), (NEXT, bytes(1024), "ext4", "partition"),
    (NEXT, ENV, "btrfs", "partition"), (NEXT, ENV, "ext4", "dm"), (NEXT, Link("elsewhere"), "ext4", "partition"),
])  # fmt: skip
def test_grub_s_file_of_variables_must_be_one_that_it_can_write(
    tmp_path: Path, config: str, block: Content, fstype: str, kind: str
) -> None:
    device = replace(part("sda1", fstype, "/boot"), kind=kind)
    facts = read(tmp_path, [device], {"boot/grub/grub.cfg": config, "boot/grub/grubenv": block, "boot/grub/elsewhere": ENV})
    assert facts.grub and not facts.grub_env
    sound = read(tmp_path / "2", [part("sda1", "xfs", "/boot")], {"boot/grub/grub.cfg": NEXT, "boot/grub/grubenv": ENV})
    assert sound.grub_env


def test_the_room_on_the_system_partition_counts_what_is_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=10, f_frsize=512))
    assert read(tmp_path, [esp("/efi")], {"efi/khib/vmlinuz": b"x" * 100, "efi/other": b"y"}).esp_free == 5220
    assert read(tmp_path / "none", [], {}).esp_free == 0
