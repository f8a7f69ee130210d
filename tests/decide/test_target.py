"""Where an image may go: every refusal."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from khib_tui.decide.target import candidates, refusals
from khib_tui.events.types import Severity
from khib_tui.model import target as targets
from khib_tui.model.machine import BlockDevice, Machine
from khib_tui.model.target import Target
from tests.kit.machines import BIOS, FEDORA, LAPTOP, UEFI, changed, field

GIB = 1 << 30


def idents(facts: Machine, text: str, need: int = GIB) -> list[str]:
    found = refusals(facts, targets.parse(text), need)
    assert all(item.severity == Severity.BLOCKER and item.what and item.why and item.fix for item in found)
    return [item.ident.removeprefix("HIB-E-TARGET-") for item in found]


def test_good_targets() -> None:
    assert idents(BIOS, "/dev/vdb1") == []
    assert idents(BIOS, "/dev/vdb2:/hibernate.khib", GIB // 2) == []
    assert idents(UEFI, "/dev/vdb") == []
    assert idents(LAPTOP, "/dev/nvme0n1p4") == []


@pytest.mark.parametrize(
    ("facts", "text", "expected"),
    [
        (BIOS, "/dev/vdc1", ["MISSING"]),
        (BIOS, "/dev/vda1", ["MOUNTED"]),
        (BIOS, "/dev/vda1:/hibernate.khib", ["MOUNTED"]),
        (BIOS, "/dev/vda", ["MOUNTED"]),
        (BIOS, "/dev/vdb", ["FOREIGN"]),
        (BIOS, "/dev/vdb2", ["FOREIGN", "SMALL"]),
        (BIOS, "/dev/vdb1:/hibernate.khib", ["FILESYSTEM"]),
        (LAPTOP, "/dev/nvme0n1p3", ["MOUNTED", "SWAP", "HOLDERS"]),
        (LAPTOP, "/dev/nvme0n1", ["MOUNTED", "MOUNTED", "MOUNTED", "SWAP", "HOLDERS"]),
        (LAPTOP, "/dev/dm-2", ["SWAP", "KIND"]),
        (LAPTOP, "/dev/sda1", ["FOREIGN"]),
        (LAPTOP, "/dev/sda1:/h.khib", ["FILESYSTEM"]),
        (LAPTOP, "/dev/loop0", ["MOUNTED", "KIND", "READONLY", "SMALL"]),
        (FEDORA, "/dev/nvme0n1p3", ["MOUNTED"]),
    ],
)
def test_refusals(facts: Machine, text: str, expected: list[str]) -> None:
    assert sorted(idents(facts, text)) == sorted(expected)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"fstype": "khib"}, []),
        ({"fstype": "swap"}, ["FOREIGN"]),
        ({"fstype": "crypto_LUKS"}, ["FOREIGN"]),
        ({"swap": True}, ["SWAP"]),
        ({"mounts": ("/mnt",)}, ["MOUNTED"]),
        ({"holders": ("md0",)}, ["HOLDERS"]),
        ({"holders": ("btrfs",), "fstype": "btrfs"}, ["HOLDERS"]),
        ({"read_only": True}, ["READONLY"]),
        ({"readable": False}, ["UNREADABLE"]),
        ({"size": GIB - 1}, ["SMALL"]),
        ({"size": GIB}, []),
    ],
)
def test_refusals_of_a_partition(fields: dict[str, Any], expected: list[str]) -> None:
    assert idents(changed(BIOS, "vdb1", **fields), "/dev/vdb1") == expected


@pytest.mark.parametrize("fstype", targets.FILE_SYSTEMS)
def test_file_systems_that_take_a_file(fstype: str) -> None:
    assert idents(changed(BIOS, "vdb2", fstype=fstype), "/dev/vdb2:/h.khib", 1) == []


def test_a_disk_without_partitions_but_with_a_table_is_foreign() -> None:
    assert idents(changed(UEFI, "vdb", table="gpt"), "/dev/vdb") == ["FOREIGN"]


def test_an_array_of_whole_disks_holds_their_partitions() -> None:
    array = BlockDevice("md127", GIB, "md", slaves=("vdb",), mounts=("/srv",))
    facts = msgspec.structs.replace(BIOS, devices=(*BIOS.devices, array))
    assert idents(facts, "/dev/vdb1") == ["MOUNTED", "HOLDERS"]


def test_a_holder_counts_whichever_side_names_it() -> None:
    for name, fields in (("vdb1", {"holders": ("dm-0",)}), ("dm-0", {"slaves": ("vdb1",)})):
        mapping = BlockDevice("dm-0", GIB, "dm", mounts=("/srv",))
        facts = msgspec.structs.replace(BIOS, devices=(*BIOS.devices, mapping))
        assert idents(changed(facts, name, **fields), "/dev/vdb1") == ["MOUNTED", "HOLDERS"]


def test_a_mounted_sibling_does_not_matter() -> None:
    assert idents(changed(BIOS, "vdb2", mounts=("/mnt",)), "/dev/vdb1") == []


def test_small_names_both_sizes_and_foreign_says_how_to_wipe() -> None:
    foreign, small = refusals(BIOS, Target("/dev/vdb2"), 3 * GIB)
    assert "3.0 GiB" in small.what and "1022.0 MiB" in small.what
    assert "wipefs -a /dev/vdb2" in foreign.fix and "/dev/vdb2:/hibernate.khib" in foreign.fix
    assert "spare" in foreign.what


def test_no_advice_to_wipe_what_is_in_use() -> None:
    for name in ("/dev/vda1", "/dev/vda"):
        assert not any("wipefs" in item.fix for item in refusals(BIOS, Target(name), 1))


def test_mount_points_are_clean_in_messages() -> None:
    (found,) = refusals(changed(BIOS, "vdb1", mounts=("/\x1b[2J",)), Target("/dev/vdb1"), 1)
    assert "\x1b" not in found.what and "\\x1b" in found.what


def test_candidates_are_all_partitions_and_undivided_disks() -> None:
    found = {str(target): [item.ident for item in reasons] for target, reasons in candidates(BIOS, GIB)}
    assert list(found) == ["/dev/vda1", "/dev/vdb1", "/dev/vdb2", "file:/hibernate.khib"]
    assert found["/dev/vdb1"] == [] and all(found[name] for name in ("/dev/vda1", "/dev/vdb2"))
    partitions = [str(target) for target, _ in candidates(UEFI, GIB) if not target.own]
    assert partitions == ["/dev/vda1", "/dev/vda2", "/dev/vdb"]
    names = {str(target) for target, _ in candidates(LAPTOP, GIB)}
    assert not any("loop" in name for name in names) and [name for name in names if "dm-" in name] == ["swap:/dev/dm-2"]


def test_a_disk_that_only_its_name_tells_apart_is_no_target() -> None:
    enclosure = field("14-enclosure-same-serial")
    assert idents(enclosure, "/dev/sdb") == ["DUPLICATE"] and idents(enclosure, "/dev/sdc") == ["DUPLICATE"]
    assert idents(changed(enclosure, "sdc", unit="1"), "/dev/sdb") == []
