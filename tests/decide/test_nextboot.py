"""By what C is started next, in the order of what can be relied on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from khib_tui.decide import nextboot
from khib_tui.decide.bootloader import ESP_ROOM
from khib_tui.decide.choice import judge
from khib_tui.decide.nextboot import OneShot
from khib_tui.events.types import Severity
from khib_tui.model.boot import BootFacts, Folder, Loader, LoaderKind
from khib_tui.model.machine import BlockDevice, Machine
from khib_tui.model.settings import Settings
from khib_tui.model.target import Target
from tests.kit.machines import BIOS, changed

GRUB = Folder("/boot/grub", "/grub", "vda1", "uuid", "ext4")
ESP = Folder("/boot/efi", "/", "sda1", "AA-BB", "vfat")
ESP_DEVICE = BlockDevice("sda1", 1 << 30, "partition", disk="sda", partuuid="6209c23a-4fb5-8b4e-b747-58ae6a4529bf")
PART, FILE = Target("/dev/vdb1"), Target("/dev/vdb2", "/image.khib")
ONE_SHOT: dict[str, Any] = {"efivars": True, "features": 0xFF}
CASES = [
    (LoaderKind.SYSTEMD_BOOT, ONE_SHOT, PART, OneShot.LOADER),
    (LoaderKind.SYSTEMD_BOOT, {"efivars": True, "features": 0xF7}, PART, OneShot.HAND),
    (LoaderKind.SYSTEMD_BOOT, {"features": 8}, PART, OneShot.HAND),
    (LoaderKind.EFI, {"efivars": True}, FILE, OneShot.FIRMWARE),
    (LoaderKind.EFI, {}, FILE, OneShot.HAND),
    # the firmware can be told what GRUB cannot, where its partition has room
    (LoaderKind.GRUB, {"efivars": True, "esp": ESP, "esp_free": ESP_ROOM}, PART, OneShot.FIRMWARE),
    (LoaderKind.GRUB_BLS, {"efivars": True, "esp": ESP, "esp_free": ESP_ROOM}, FILE, OneShot.FIRMWARE),
    (LoaderKind.SYSTEMD_BOOT, {"efivars": True, "esp": ESP, "esp_free": ESP_ROOM}, FILE, OneShot.FIRMWARE),
    (LoaderKind.GRUB, {"efivars": True, "esp": ESP, "esp_free": ESP_ROOM - 1}, PART, OneShot.IMAGE),
    (LoaderKind.GRUB, {"esp": ESP, "esp_free": ESP_ROOM}, PART, OneShot.IMAGE),
    # GRUB sets LoaderInfo too, and `bootctl set-oneshot` would succeed in vain
    (LoaderKind.GRUB, {**ONE_SHOT, "loader": "GRUB 2.12"}, PART, OneShot.IMAGE),
    (LoaderKind.GRUB, {"grub": GRUB, "grub_env": True}, PART, OneShot.IMAGE),
    (LoaderKind.GRUB, {"grub": GRUB, "grub_env": True}, FILE, OneShot.GRUBENV),
    (LoaderKind.GRUB, {"grub": GRUB}, FILE, OneShot.HAND),
    (LoaderKind.GRUB_BLS, {"grub": GRUB, "grub_env": True}, PART, OneShot.GRUBENV),
    (LoaderKind.GRUB_BLS, {"grub": GRUB}, PART, OneShot.HAND),
    (LoaderKind.BLS, {**ONE_SHOT, "grub": GRUB, "grub_env": True}, PART, OneShot.HAND),
]


def here(**facts: Any) -> Machine:
    disk = BlockDevice("vdb", 1 << 40, "disk", table="gpt", disk_id="x")
    found = changed(BIOS, "vdb", **{name: getattr(disk, name) for name in ("table", "disk_id")})
    return replace(found, uefi=bool(facts.get("efivars")), boot=BootFacts(**facts), devices=(*found.devices, ESP_DEVICE))


@pytest.mark.parametrize(("kind", "facts", "target", "way"), CASES)
def test_the_way(kind: LoaderKind, facts: dict[str, Any], target: Target, way: OneShot) -> None:
    loader = Loader(kind, Path("/entry.conf"), GRUB)
    assert nextboot.choose(here(**facts), loader, target) is way
    said = nextboot.finding(here(**facts), loader, target)
    assert said.severity is (Severity.WARNING if way is OneShot.HAND else Severity.OK)
    assert said.ident == "HIB-W-NEXT-BOOT" and (way is OneShot.HAND or way in said.what)


def test_check_tells_it_once_there_is_a_target() -> None:
    told = [item for item in judge(here(), Settings(target="/dev/vdb1")) if item.ident == nextboot.IDENT]
    assert [item.severity for item in told] == [Severity.WARNING] and "boot menu" in told[0].fix
    assert not [item for item in judge(here(), Settings()) if item.ident == nextboot.IDENT]
