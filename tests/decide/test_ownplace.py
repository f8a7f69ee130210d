"""Whether a file of A's own can take the image, on layouts from public reports."""

from __future__ import annotations

import msgspec
import pytest

from khib_tui.decide import ownplace
from khib_tui.decide.choice import decide
from khib_tui.decide.guard import guarded_partition
from khib_tui.errors import Refused, UsageError
from khib_tui.model import target as targets
from khib_tui.model.machine import BlockDevice
from khib_tui.model.settings import Settings
from khib_tui.model.target import Kind, Target
from khib_tui.model.units import GIB, MIB
from tests.kit.machines import BIOS, field

LUKS = field("26-luks-lvm-nothing-free")


def own(machine: object, path: str = "/hibernate.khib") -> Target:
    return targets.resolved(targets.parse(f"file:{path}"), machine.devices)  # type: ignore[attr-defined]


def idents(machine: object, target: Target, need: int = GIB) -> list[str]:
    return [item.ident.removeprefix("HIB-E-TARGET-") for item in ownplace.refusals(machine, target, need)]  # type: ignore[arg-type]


def test_it_is_spelled_with_its_path_in_this_system() -> None:
    target = targets.parse(" file:/srv/a.khib ")
    assert target == Target("", "/srv/a.khib", own=True) and str(target) == "file:/srv/a.khib" and target.kind is Kind.OWN
    for text in ("file:", "file:a", "file:/a b", "file:/../a", "file:/a/./b", "file:/a;b"):
        with pytest.raises(UsageError):
            targets.parse(text)


def test_the_deepest_mount_is_its_filesystem() -> None:
    devices = [
        BlockDevice("sda1", GIB, "partition", mounts=("/",)), BlockDevice("sda2", GIB, "partition", mounts=("/home",)),
        BlockDevice("sda3", GIB, "partition", mounts=("/homes", "/srv")),
    ]  # fmt: skip
    found = {path: targets.around(devices, path) for path in ("/x", "/home/x", "/homes/x", "/homely", "/srv/a/b")}
    names = {path: device.name if device else "" for path, device in found.items()}
    assert names == {"/x": "sda1", "/home/x": "sda2", "/homes/x": "sda3", "/homely": "sda1", "/srv/a/b": "sda3"}
    assert targets.around(devices[1:], "/x") is None


def test_luks_and_lvm_are_passed_by_down_to_the_partition() -> None:
    target = own(LUKS)
    leaf = targets.under(LUKS.devices, target)
    assert leaf is not None and leaf.kind == "partition" and target.device != leaf.path
    assert idents(LUKS, target) == [] and [item.ident for item in ownplace.unsealed(LUKS, target)] == ["HIB-E-TARGET-SEAL"]
    assert not ownplace.unsealed(BIOS, own(BIOS))
    if leaf.partuuid:
        assert guarded_partition(LUKS, target) == leaf.partuuid.lower()


def test_below_encryption_a_seal_is_asked_for_before_anything_is_done() -> None:
    settings = Settings(target="file:/hibernate.khib", boot_dir="/boot")
    with pytest.raises(Refused) as caught:
        decide(LUKS, settings)
    assert caught.value.ident == "HIB-E-TARGET-SEAL" and caught.value.hint and "khib seal" in caught.value.hint
    assert decide(LUKS, settings, sealed=True).target == own(LUKS)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"fstype": "zfs_member"}, ["FILESYSTEM"]), ({"fstype": "vfat"}, ["FILESYSTEM"]), ({"read_only": True}, ["READONLY"]),
        ({"size": 100 * MIB}, ["SMALL"]), ({"slaves": ("vdb1", "vdb2")}, ["STACK"]), ({"mounts": ()}, ["MISSING"]),
    ],
)  # fmt: skip
def test_what_cannot_take_it_says_why(change: dict[str, object], expected: list[str]) -> None:
    root = next(device for device in BIOS.devices if "/" in device.mounts)
    changed = msgspec.structs.replace(root, **change)
    machine = msgspec.structs.replace(BIOS, devices=tuple(changed if item is root else item for item in BIOS.devices))
    assert idents(machine, own(machine)) == expected


def test_a_word_names_disk_partition_and_first_byte() -> None:
    root = next(device for device in BIOS.devices if "/" in device.mounts)
    word = targets.place_word(root, 12345 * 512)
    found = targets.from_word(word, BIOS.devices)
    assert (found.key.disk_id, found.key.start, found.spans[0][0]) == (root.disk_id, root.start, 12345 * 512)
    with pytest.raises(Refused):
        targets.from_word(word.replace(root.disk_id, "00"), BIOS.devices)
