"""Where an image may go: every refusal, the identity of devices, and the words that name them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khib_tui.decide.target import candidates, refusals
from khib_tui.errors import KhibError, Refused, UsageError
from khib_tui.events.types import Severity
from khib_tui.model import identity, machine
from khib_tui.model import target as targets
from khib_tui.model.identity import DeviceKey, TargetRef
from khib_tui.model.machine import BlockDevice, Machine
from khib_tui.model.target import Target
from tests.kit import MACHINES

GIB = 1 << 30
BIOS = machine.load(MACHINES / "qemu-bios-1g.json")
UEFI = machine.load(MACHINES / "qemu-uefi-5g.json")
LAPTOP = machine.load(MACHINES / "amd-laptop-ubuntu.json")
FEDORA = machine.load(MACHINES / "workstation-fedora-locked.json")


def changed(facts: Machine, name: str, **fields: Any) -> Machine:
    devices = tuple(msgspec.structs.replace(item, **fields) if item.name == name else item for item in facts.devices)
    return msgspec.structs.replace(facts, devices=devices)


def device(facts: Machine, name: str) -> BlockDevice:
    found = facts.device(name)
    assert found is not None
    return found


def idents(facts: Machine, text: str, need: int = GIB) -> list[str]:
    found = refusals(facts, targets.parse(text), need)
    assert all(item.severity == Severity.BLOCKER and item.what and item.why and item.fix for item in found)
    return [item.ident.removeprefix("HIB-E-TARGET-") for item in found]


@pytest.mark.parametrize("text", ["/dev/vdb1", "/dev/vdb2:/hibernate.khib", "/dev/disk/by-path/pci-0000:00:1f.2-part1:/a"])
def test_parse_and_format_are_inverse(text: str) -> None:
    assert str(targets.parse(text)) == text


def test_parse_tells_partition_from_file() -> None:
    assert targets.parse(" /dev/vdb1 ") == Target("/dev/vdb1") and targets.parse("/dev/vdb1").kind == "partition"
    assert targets.parse("/dev/vdb2:/d/i.khib") == Target("/dev/vdb2", "/d/i.khib")
    assert Target("/dev/vdb2", "/i").kind == "file"


@pytest.mark.parametrize(
    "text",
    ["", "vdb1", "/etc/passwd", "/dev/", "/dev/../etc/x", "/dev/vdb1:", "/dev/vdb1:/", "/dev/vdb1:/a/../b",
     "/dev/vdb1:/a b", "/dev/vdb1:/a/", "/dev/vdb1:/$(x)", "/dev/v\x1b", "/dev/vdb1:relative", "/dev/vdb 1"],
)  # fmt: skip
def test_parse_refuses_nonsense(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        targets.parse(text)
    assert caught.value.ident == "HIB-E-TARGET"
    assert "\x1b" not in caught.value.message


def test_a_link_leads_to_the_device() -> None:
    assert targets.resolved(Target("/dev/stdin-is-no-disk", "/f")) == Target("/dev/stdin-is-no-disk", "/f")


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
    assert list(found) == ["/dev/vda1", "/dev/vdb1", "/dev/vdb2"]
    assert found["/dev/vdb1"] == [] and all(found[name] for name in ("/dev/vda1", "/dev/vdb2"))
    assert [str(target) for target, _ in candidates(UEFI, GIB)] == ["/dev/vda1", "/dev/vda2", "/dev/vdb"]
    assert not any("dm-" in str(target) or "loop" in str(target) for target, _ in candidates(LAPTOP, GIB))


def test_find_by_identity_not_by_name() -> None:
    key = identity.key_of(device(BIOS, "vdb1"))
    renamed = [msgspec.structs.replace(item, name=item.name.replace("vdb", "sdz")) for item in BIOS.devices]
    assert identity.find(renamed, key).name == "sdz1"


@pytest.mark.parametrize("field", ["disk_id", "start", "size", "serial"])
def test_find_wants_every_part_of_the_identity(field: str) -> None:
    key = identity.key_of(device(BIOS, "vdb1"))
    other = msgspec.structs.replace(key, **{field: 1 if field in ("start", "size") else "other"})
    with pytest.raises(Refused) as caught:
        identity.find(BIOS.devices, other)
    assert caught.value.ident == "HIB-E-TARGET-MISSING"


def test_find_refuses_a_clone() -> None:
    original = device(BIOS, "vdb1")
    clone = msgspec.structs.replace(original, name="vdc1")
    with pytest.raises(Refused, match="/dev/vdb1 and /dev/vdc1") as caught:
        identity.find([*BIOS.devices, clone], identity.key_of(original))
    assert caught.value.ident == "HIB-E-TARGET-DUPLICATE"
    other_serial = msgspec.structs.replace(clone, serial="another")
    assert identity.find([other_serial, *BIOS.devices], identity.key_of(original)) == original


def test_key_survives_json() -> None:
    key = identity.key_of(device(LAPTOP, "nvme0n1p4"))
    assert msgspec.json.decode(msgspec.json.encode(key), type=DeviceKey) == key


@pytest.mark.parametrize("facts", [BIOS, LAPTOP, FEDORA])
def test_words_lead_back_to_every_partition(facts: Machine) -> None:
    for part in (item for item in facts.devices if item.kind == "partition"):
        spelled = targets.word(Target(part.path, "/h.khib"), facts)
        assert part.name not in spelled and not set(spelled) & set(" \"'$\\;")
        assert targets.from_word(spelled, facts.devices) == TargetRef(identity.key_of(part), "/h.khib")


def test_word_of_a_disk_without_table_is_its_filesystem() -> None:
    facts = changed(UEFI, "vdb", fstype="ext4", uuid="6f9c-aa")
    assert targets.word(Target("/dev/vdb", "/h"), facts) == "6f9c-aa-0:/h"
    assert targets.from_word("6f9c-aa-0:/h", facts.devices).key == identity.key_of(device(facts, "vdb"))
    with pytest.raises(Refused) as caught:
        targets.word(Target("/dev/vdb", "/h"), UEFI)
    assert caught.value.ident == "HIB-E-TARGET-IDENTITY"


@pytest.mark.parametrize(
    ("spelled", "ident"),
    [
        ("0ddba11c-5eed-4bad-8000-000000000002-7:/h", "HIB-E-TARGET-MISSING"),
        ("/dev/vdz:/h", "HIB-E-TARGET-MISSING"),
        ("0ddba11c-5eed-4bad-8000-000000000002-1048576:/a b", "HIB-E-TARGET"),
        ("-0:/h", "HIB-E-TARGET"),
        ("nonsense", "HIB-E-TARGET"),
    ],
)
def test_words_that_lead_nowhere(spelled: str, ident: str) -> None:
    with pytest.raises(KhibError) as caught:
        targets.from_word(spelled, UEFI.devices if ident.endswith("MISSING") else BIOS.devices)
    assert caught.value.ident == ident


def test_a_device_name_is_a_word_too() -> None:
    assert targets.from_word("/dev/vdb2:/h", BIOS.devices) == TargetRef(identity.key_of(device(BIOS, "vdb2")), "/h")


@given(st.text(st.sampled_from("/dev:.x0-@ \n$"), max_size=30))
def test_parse_takes_anything(text: str) -> None:
    try:
        target = targets.parse(text)
    except UsageError:
        return
    assert targets.parse(str(target)) == target
    assert target.device.startswith("/dev/") and ".." not in str(target).split("/")
