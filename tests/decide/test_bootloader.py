"""Which loader boots C, where its entry goes, and what `khib check` says about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from khib_tui.decide import bootloader
from khib_tui.errors import Refused
from khib_tui.events.types import Severity
from khib_tui.model import machine
from khib_tui.model.boot import BootFacts, Folder, LoaderKind
from khib_tui.model.machine import BlockDevice, Machine
from khib_tui.model.settings import Settings
from khib_tui.model.target import Target
from tests.kit.machines import BIOS, UEFI

BOOT = Folder("/boot", "/@/boot", "sda2", "uuid-2", "ext4")
ESP = Folder("/efi", "/", "sda1", "AAAA-BBBB", "vfat")
XBOOTLDR = Folder("/boot", "/", "sda3", "CCCC-DDDD", "vfat")
GRUB = Folder("/boot/grub", "/@/boot/grub", "sda2", "uuid-2", "ext4")
ESP_DEVICE = BlockDevice(
    "sda1", 100 << 20, "partition", disk="sda", start=1 << 20, partuuid="6209c23a-4fb5-8b4e-b747-58ae6a4529bf"
)
GRUB_FACTS: dict[str, Any] = {"grub": GRUB, "boot": BOOT, "grub_custom": True}


def here(base: Machine = UEFI, **facts: Any) -> Machine:
    return replace(base, boot=BootFacts(**facts), devices=(*base.devices, ESP_DEVICE))


CASES: dict[str, tuple[Machine, LoaderKind, str]] = {
    "systemd": (here(loader="systemd-boot 257", esp=ESP), LoaderKind.SYSTEMD_BOOT, "/efi/loader/entries/khib-restore.conf"),
    "xbootldr": (
        here(loader="systemd-boot 257", esp=ESP, xbootldr=XBOOTLDR), LoaderKind.SYSTEMD_BOOT,
        "/boot/loader/entries/khib-restore.conf",
    ),
    "systemd beside an old GRUB": (
        here(loader="systemd-boot 257", esp=ESP, **GRUB_FACTS), LoaderKind.SYSTEMD_BOOT,
        "/efi/loader/entries/khib-restore.conf",
    ),
    "systemd, not mounted, beside an old GRUB": (
        here(loader="systemd-boot 257", **GRUB_FACTS), LoaderKind.BLS, "/boot/loader/entries/khib-restore.conf",
    ),
    "grub": (here(BIOS, **GRUB_FACTS), LoaderKind.GRUB, "/boot/grub/custom.cfg"),
    "grub that says so": (
        here(loader="GRUB 2.12", esp=ESP, efivars=True, **GRUB_FACTS), LoaderKind.GRUB, "/boot/grub/custom.cfg",
    ),
    "grub with entries": (
        here(BIOS, grub=GRUB, boot=BOOT, grub_bls=True), LoaderKind.GRUB_BLS, "/boot/loader/entries/~khib-restore.conf",
    ),
    "rEFInd beside an old GRUB": (
        here(loader="rEFInd 0.14", esp=ESP, efivars=True, **GRUB_FACTS), LoaderKind.EFI, str(bootloader.EFI_ENTRY),
    ),
    "nothing but firmware": (here(esp=ESP, efivars=True), LoaderKind.EFI, str(bootloader.EFI_ENTRY)),
    "variables cannot be written": (here(esp=ESP), LoaderKind.BLS, "/boot/loader/entries/khib-restore.conf"),
    "nothing": (BIOS, LoaderKind.BLS, "/boot/loader/entries/khib-restore.conf"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_loader_and_its_entry(name: str) -> None:
    facts, kind, entry = CASES[name]
    found = bootloader.choose(facts, Settings())
    assert (found.kind, found.entry) == (kind, Path(entry))
    said = bootloader.finding(facts, Settings())
    assert said.severity is (Severity.WARNING if kind is LoaderKind.BLS else Severity.OK) and entry in f"{said.what}{said.why}"


def test_kernels_lie_where_the_loader_finds_them() -> None:
    found = bootloader.choose(here(loader="systemd-boot 257", esp=ESP), Settings())
    assert bootloader.placed(Settings(), found).initramfs == Path("/efi/khib/initramfs.img")
    grub = bootloader.choose(here(BIOS, **GRUB_FACTS), Settings())
    assert grub.folder.seen(Path("/boot/khib/vmlinuz")) == "/@/boot/khib/vmlinuz"


def test_a_partition_that_is_not_mounted_is_told() -> None:
    said = bootloader.finding(here(loader="systemd-boot 257"), Settings())
    assert "not mounted" in said.what and "mount" in said.fix


@pytest.mark.parametrize("kind", [kind for kind in LoaderKind if kind not in (LoaderKind.AUTO, LoaderKind.BLS)])
def test_one_that_is_named_and_not_there_is_refused(kind: LoaderKind) -> None:
    with pytest.raises(Refused, match="does not boot by"):
        bootloader.choose(BIOS, Settings(loader=kind))
    assert bootloader.finding(BIOS, Settings(loader=kind)).severity is Severity.BLOCKER


def test_the_user_s_word_counts_more_than_what_is_found() -> None:
    facts = here(loader="systemd-boot 257", esp=ESP, efivars=True, **GRUB_FACTS)
    for kind in (LoaderKind.GRUB, LoaderKind.EFI, LoaderKind.BLS, LoaderKind.SYSTEMD_BOOT):
        assert bootloader.choose(facts, Settings(loader=kind)).kind is kind
    assert bootloader.finding(facts, Settings(loader=LoaderKind.BLS)).severity is Severity.OK


def test_the_firmware_needs_a_partition_of_a_gpt() -> None:
    changed = replace(here(esp=ESP, efivars=True), devices=(replace(ESP_DEVICE, partuuid="1a2b3c4d-01"),))
    assert bootloader.choose(changed, Settings()).kind is LoaderKind.BLS
    place = bootloader.choose(here(esp=ESP, efivars=True), Settings()).esp
    assert place and (place.number, place.start, place.size) == (1, 2048, 204800)


def test_facts_without_a_boot_loader_are_read(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    path.write_bytes(machine.dump(here(**GRUB_FACTS)))
    assert machine.load(path).boot.grub == GRUB and BIOS.boot == BootFacts()


@pytest.mark.parametrize(("device", "table", "place"), [
    ("sda2", "gpt", "gpt2"), ("sda2", "dos", "msdos2"), ("nvme0n1p12", "gpt", "gpt12"), ("sda", "gpt", ""), ("sda2", "", ""),
    ("dm-0", "gpt", ""),
])  # fmt: skip
def test_partitions_as_grub_spells_them(device: str, table: str, place: str) -> None:
    disk = "nvme0n1" if "nvme" in device else "sda"
    kind = {"sda": "disk", "dm-0": "dm"}.get(device, "partition")
    devices = [BlockDevice(disk, 1, "disk", table=table)] if device != disk else []
    devices.append(
        BlockDevice(device, 1, kind, disk=disk if kind == "partition" else "", table=table if kind == "disk" else "")
    )
    assert bootloader.grub_place(replace(BIOS, devices=tuple(devices)), Target(f"/dev/{device}")) == place
