"""The lab as a computer that boots from its own disk, by its own firmware and boot loader."""

from __future__ import annotations

import re
from argparse import Namespace
from pathlib import Path

import pytest

from khib_tui.commands import labarguments
from khib_tui.errors import Refused, UsageError
from khib_tui.events.types import Event
from khib_tui.lab import bootdisk, boots, disks, installed
from khib_tui.lab.board import Board
from khib_tui.lab.build import kernel
from khib_tui.lab.cycle import DEMO_WORDS
from khib_tui.lab.disks import Partition
from khib_tui.lab.hardware import Boot, Hardware
from khib_tui.lab.loader import FIRMWARES, Kind, refuse_loader
from khib_tui.lab.machine import MACHINES, machine_of
from khib_tui.lab.table import told
from khib_tui.runner import run
from tests.kit.lab_kit import MEMORY, options, print_event

COMBINATIONS = [
    (loader, firmware, machine)
    for machine in MACHINES
    for loader, firmware in (("grub", "bios"), ("grub", "uefi"), ("systemd-boot", "uefi"), ("efi", "uefi"))
]


@pytest.mark.lab
@pytest.mark.long
@pytest.mark.parametrize(("loader", "firmware", "machine"), COMBINATIONS)
def test_a_computer_that_boots_itself_resumes(tmp_path: Path, loader: str, firmware: str, machine: str) -> None:
    asked = options(boot="disk", loader=loader, firmware=firmware, machine=machine, memory=max(MEMORY, 1024))
    row = boots.row(asked, tmp_path, print_event)
    assert not row.wrong, row


def test_own_settings_override_and_the_plain_kernel_is_the_same_as_ever() -> None:
    merged = kernel.merged([kernel.FRAGMENT, kernel.DISK_FRAGMENT])
    firm, _ = kernel.fragment_lines(merged)
    assert "CONFIG_BLK_DEV_NVME=m" in firm and "CONFIG_BLK_DEV_NVME=y" not in merged
    assert "CONFIG_USB_HID=m" in firm and "CONFIG_USB_HID is not set" not in merged
    assert "CONFIG_VIRTIO_BLK=y" in firm and "CONFIG_HID_SUPPORT=y" not in firm
    assert kernel.fragment_lines(kernel.merged([kernel.FRAGMENT]))[0] == kernel.fragment_lines(kernel.FRAGMENT.read_text())[0]


def test_another_fragment_is_another_kernel(tmp_path: Path) -> None:
    source = tmp_path / "linux-source-1.tar"
    source.write_bytes(b"x")
    assert kernel.source_key(source) != kernel.source_key(source, [kernel.DISK_FRAGMENT])


@pytest.mark.parametrize(
    ("name", "disk", "partition"),
    [("virtio", "virtio-blk-pci", "/dev/vda5"), ("laptop", "nvme", "/dev/nvme0n1p5"),
     ("desktop", "ide-hd,bus=ide.0", "/dev/sda5"), ("usb", "virtio-blk-pci", "/dev/vda5"),
     ("emmc", "sd-card", "/dev/mmcblk0p5")],
)  # fmt: skip
def test_a_machine_has_its_disk_where_a_looks_for_it(tmp_path: Path, name: str, disk: str, partition: str) -> None:
    machine = MACHINES[name]
    hardware = Hardware(512, 2, "bios", (tmp_path / "a",), tmp_path, board=machine.with_board(Board()), machine=machine)
    told = hardware.arguments()
    device = next(word for word in told if word.endswith("drive=d0"))
    assert device.startswith(disk) and machine.partition(5) == partition
    assert ("intel-iommu,intremap=on" in told) is (name == "laptop")
    assert ("usb-kbd,bus=xhci.0" in told) is (name == "desktop")


def test_the_image_of_the_usb_machine_is_behind_usb() -> None:
    assert MACHINES["usb"].disk(1, Board()) == "usb-storage,bus=xhci.0,serial=khib-disk-1,drive=d1"
    assert MACHINES["usb"].target == "sda"


def test_other_machines_boot_from_their_own_disk_only() -> None:
    with pytest.raises(UsageError):
        machine_of(Namespace(machine="laptop", boot="kernel"))
    assert machine_of(Namespace()) is MACHINES["virtio"]


@pytest.mark.parametrize(("loader", "firmware"), [("grub-bls", "bios"), ("grub-bls", "uefi"), ("efi", "bios")])
def test_what_does_not_exist_is_refused_with_its_reason(loader: str, firmware: str) -> None:
    with pytest.raises(Refused) as error:
        refuse_loader(Kind(loader, firmware))
    assert error.value.hint
    refuse_loader(Kind("grub", firmware))


def test_a_boot_partition_is_for_bios_and_a_newer_grub_for_uefi() -> None:
    own, newer = Kind("grub", "bios", own_boot=True), Kind("grub", "uefi", grub="debian-13")
    for kind in (own, newer):
        refuse_loader(kind)
    for wrong in (own._replace(firmware="uefi"), newer._replace(firmware="bios"), newer._replace(loader="efi")):
        with pytest.raises(Refused) as error:
            refuse_loader(wrong)
        assert error.value.ident == "HIB-E-LAB-LOADER" and error.value.hint
    assert len({own.name, newer.name, own._replace(own_boot=False).name}) == 3
    assert own.grub_file("grubenv") == (installed.ESP, "/grub/grubenv")
    assert newer.grub_file("grubenv") == (installed.ROOT, "/boot/grub/grubenv")


def test_nothing_but_the_disk_is_switched_on() -> None:
    assert Boot().arguments() == []


def test_words_that_only_the_disk_can_have_are_refused(tmp_path: Path) -> None:
    guest = kernel.GuestKernel(tmp_path, tmp_path, "6", tmp_path)
    lab = bootdisk.DiskLab(Hardware(512, 1, "bios", (tmp_path,), tmp_path), guest, tmp_path, Kind("grub", "bios"))
    assert lab.boot_a(f"{DEMO_WORDS} ") == lab.boot_c() == Boot()
    with pytest.raises(UsageError):
        lab.boot_a("nokaslr")
    with pytest.raises(UsageError):
        lab.boot_c({"efi=noruntime": ""})


def test_what_can_be_typed_is_what_there_is() -> None:
    assert list(MACHINES) == labarguments.MACHINES
    assert list(FIRMWARES) == labarguments.LOADERS
    assert list(installed.SYSTEMS) == labarguments.SYSTEMS


def test_what_may_change_is_no_part_of_the_digest(tmp_path: Path) -> None:
    path = tmp_path / "disk"
    data = bytearray(b"x" * 3 * disks.BLOCK)
    path.write_bytes(data)
    places = [Partition(5000, 100), Partition(disks.BLOCK, disks.BLOCK)]
    before = disks.digest(path, places)
    for at in (5000, 5099, disks.BLOCK, 2 * disks.BLOCK - 1):
        data[at] ^= 1
    path.write_bytes(data)
    assert disks.digest(path, places) == before != disks.digest(path)
    for at in (4999, 5100, disks.BLOCK - 1, 2 * disks.BLOCK):
        path.write_bytes(data[:at] + b"y" + data[at + 1 :])
        assert disks.digest(path, places) != before


def test_the_image_gets_a_partition_behind_the_others(tmp_path: Path) -> None:
    path = tmp_path / "disk"
    with path.open("wb") as stream:
        stream.truncate(installed.DISK_SIZE)
    run(["sfdisk", "--quiet", path], input=installed.partition_table())
    before = disks.partitions(path)
    image = installed.add_image_partition(path, 900)
    assert disks.partitions(path) == [*before, image] and image.size == 900 << 20
    assert before[installed.ESP].size == 320 << 20


def test_grubenv_lies_where_the_filesystem_says(tmp_path: Path) -> None:
    path, tree = tmp_path / "disk", tmp_path / "tree"
    (tree / "boot/grub").mkdir(parents=True)
    (tree / "boot/grub/grubenv").write_bytes(b"#" * 1024)
    with path.open("wb") as stream:
        stream.truncate(installed.DISK_SIZE)
    run(["sfdisk", "--quiet", path], input=installed.partition_table())
    root = disks.partitions(path)[installed.ROOT]
    run(["mke2fs", "-q", "-F", "-t", "ext4", "-E", f"offset={root.start}", "-d", tree, path, f"{root.size // 1024}k"])
    (place,) = disks.used_by(path, *Kind("grub", "bios").grub_file(bootdisk.GRUBENV))
    with path.open("rb") as stream:
        stream.seek(place.start)
        assert re.fullmatch(rb"#{1024}\0*", stream.read(place.size))


def test_the_table_says_what_went_wrong() -> None:
    seen: list[Event] = []
    rows = [boots.Row("grub", "bios", "virtio", 61.0), boots.Row("efi", "uefi", "laptop", wrong="C did not start")]
    assert told(rows, [], "lab boots", "combinations resumed", seen.append) == 1
    assert "resumed" in str(seen[0]) and "NO: C did not start" in str(seen[1]) and "1 of 2" in str(seen[2])


def test_each_loader_is_played_on_each_firmware_it_has() -> None:
    wanted = Namespace(machines=["laptop"], loaders=["grub", "efi"], firmwares=["bios", "uefi"])
    assert list(boots.combinations(wanted)) == [
        ("grub", "bios", "laptop"), ("grub", "uefi", "laptop"), ("efi", "uefi", "laptop"),
    ]  # fmt: skip
    wanted.firmwares = ["uefi"]
    assert list(boots.combinations(wanted)) == [("grub", "uefi", "laptop"), ("efi", "uefi", "laptop")]
