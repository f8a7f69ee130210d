"""Places for an image on machines from public reports."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from khib_tui.decide import content
from khib_tui.decide.choice import decide
from khib_tui.decide.target import candidates, doubts, filesystem, refusals, without_driver
from khib_tui.errors import Refused
from khib_tui.facts.blockdev import devices
from khib_tui.facts.probe import probe
from khib_tui.model import target as targets
from khib_tui.model.disks import found_again
from khib_tui.model.machine import Machine
from khib_tui.model.settings import Settings
from khib_tui.model.target import Target
from khib_tui.model.units import GIB
from tests.kit import fakeroot
from tests.kit.faketree import MIB, Content, Link, gpt, mbr, tree
from tests.kit.machines import BIOS, changed, field


def idents(facts: Machine, text: str, need: int = GIB) -> list[str]:
    return [item.ident.removeprefix("HIB-E-TARGET-") for item in refusals(facts, targets.parse(text), need)]


def test_unknown_is_not_empty(tmp_path: Path) -> None:
    here = probe(fakeroot.make(tmp_path, "10-unknown-content"))
    found = {str(target): [item.ident for item in reasons] for target, reasons in candidates(here, GIB)}
    unknown, foreign = ["HIB-E-TARGET-UNKNOWN"], ["HIB-E-TARGET-FOREIGN"]
    assert found == {
        "/dev/sdb1": unknown, "/dev/sdb2": unknown, "/dev/sdb3": foreign, "/dev/sdb4": foreign, "/dev/sdb5": unknown,
        "/dev/sdb6": foreign, "/dev/sdb8": [], "/dev/sdb9": foreign,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["sdb1", "sdb2", "sdb3", "sdb4", "sdb5"])
def test_facts_that_say_unknown_are_refused_with_the_way_out(name: str) -> None:
    here = changed(field("10-unknown-content"), name, content="unknown")
    (found,) = refusals(here, Target(f"/dev/{name}"), GIB)
    size = next(item.size for item in here.devices if item.name == name)
    assert found.ident == "HIB-E-TARGET-UNKNOWN" and f"dd if=/dev/zero of=/dev/{name}" in found.fix
    assert f"seek={size - MIB}" in found.fix


def test_facts_that_say_nothing_are_doubted_aloud() -> None:
    here = field("10-unknown-content")
    (found,) = doubts(here, Target("/dev/sdb1"))
    assert found.ident == "HIB-W-TARGET-CONTENT" and "khib facts" in found.fix
    assert not doubts(BIOS, Target("/dev/vdb1")) and not doubts(here, Target("/dev/nvme0n1p3"))


@pytest.mark.parametrize("parttype", [
    "e3c9e316-0b5c-4db8-817d-f92df00215ae", "5808C8AA-7E8F-42E0-85D2-E1E90434CFB3", "53746f72-6167-11aa-aa11-00306543ecac",
    "e75caf8f-f680-4cee-afa3-b001e56efc2d", "21686148-6449-6e6f-744e-656564454649", "00000000-1111-2222-3333-444444444444",
    "42", "27", "ef", "af", "a5", "bf", "12", "0f",
])  # fmt: skip
def test_an_empty_partition_of_another_system_is_refused(parttype: str) -> None:
    assert idents(changed(BIOS, "vdb1", parttype=parttype), "/dev/vdb1") == ["TYPE"]
    assert idents(changed(BIOS, "vdb1", parttype=parttype, fstype="khib"), "/dev/vdb1") == []


@pytest.mark.parametrize(
    "parttype", ["0FC63DAF-8483-4772-8E79-3D69D8477DE4", "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7", "83", "07"]
)
def test_an_empty_partition_of_linux_or_for_anything_is_fit(parttype: str) -> None:
    assert content.free_type(parttype) and idents(changed(BIOS, "vdb1", parttype=parttype), "/dev/vdb1") == []


def test_types_and_names_come_from_the_partition_table(tmp_path: Path) -> None:
    disk = "sys/devices/pci0/ata1/block/sda"
    files: dict[str, Content] = {
        "sys/class/block/sda": Link(f"../../../{disk}"), "sys/class/block/sda1": Link(f"../../../{disk}/sda1"),
        f"{disk}/size": "8192\n", f"{disk}/sda1/partition": "1\n", f"{disk}/sda1/size": "4096\n",
        f"{disk}/sda1/start": "2048\n", "dev/sda1": bytes(512),
    }  # fmt: skip
    name = "EFI sys\u202e".encode("utf-16-le")
    guid = gpt("8c18ed17-28fe-e745-b593-e7e88e40fde5", {2048: "a1997fcf-a608-ce4d-b118-3f9307321c5d"})
    named = guid[: 1024 + 56] + name + guid[1024 + 56 + len(name) :]
    part = devices(tree(tmp_path / "gpt", files | {"dev/sda": named}))[1]
    assert (part.partlabel, part.parttype) == ("EFI sys\\u202e", "afafafaf-afaf-afaf-afaf-afafafafafaf")
    old = bytearray(mbr(0xC3072E18, 0x42))
    old[446 + 8 : 446 + 12] = (2048).to_bytes(4, "little")
    assert devices(tree(tmp_path / "mbr", files | {"dev/sda": bytes(old)}))[1].parttype == "42"


def test_a_partition_of_a_disk_in_an_array_is_refused() -> None:
    for target in ("/dev/vdb1", "/dev/vdb2:/h.khib"):
        assert "FOREIGN" in idents(changed(BIOS, "vdb", fstype="isw_raid_member"), target, MIB)


DERIVED = ["zd0", "bcache0", "drbd0", "ublkb0", "nullb0", "pmem0", "rnbd0", "nbd0p1", "loop7p1", "rbd0p1"]


@pytest.mark.parametrize("name", DERIVED)
def test_disks_that_b_cannot_build_again_are_refused(name: str) -> None:
    assert "KIND" in idents(field("13-virtual-disks"), f"/dev/{name}")


def test_they_are_told_apart_when_they_are_read(tmp_path: Path) -> None:
    here = probe(fakeroot.make(tmp_path, "13-virtual-disks"))
    kinds = {item.name: item.kind for item in here.devices}
    assert kinds == {
        "bcache0": "virtual", "drbd0": "network", "loop7": "loop", "loop7p1": "partition", "nbd0": "network",
        "nbd0p1": "partition", "pmem0": "disk", "zd0": "virtual",
    }  # fmt: skip
    assert all("KIND" in idents(here, item.path) for item in here.devices)


def disk(root: Path, place: str, **files: str) -> str:
    """Return the kind of the disk at a place in sysfs."""
    name = Path(place).name
    more = {f"{Path(place).parent}/{path.replace('__', '/')}": text for path, text in files.items()}
    made = tree(root, {f"sys/class/block/{name}": Link(f"../../../{place}"), f"{place}/size": "8192\n", **more})
    return devices(made)[0].kind


@pytest.mark.parametrize(
    ("place", "files", "kind"),
    [
        ("sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1", {}, "disk"),
        ("sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1", {"nvme0__transport": "pcie\n"}, "disk"),
        ("sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1", {"nvme0__transport": "tcp\n"}, "network"),
        ("sys/devices/virtual/nvme-fabrics/ctl/nvme0/nvme0n1", {}, "network"),
        ("sys/devices/pci0000:00/0000:00:1d.0/nvme/nvme0/nvme0n1", {}, "disk"),
        ("sys/devices/platform/host3/session1/target3:0:0/3:0:0:1/block/sda", {}, "network"),
        ("sys/devices/pseudo_0/adapter0/host4/target4:0:0/4:0:0:0/block/sdb", {}, "virtual"),
        ("sys/devices/platform/soc/mmc_host/mmc0/mmc0:0001/block/mmcblk0", {}, "disk"),
        ("sys/devices/LNXSYSTM:00/vmbus/host0/target0:0:0/0:0:0:0/block/sda", {}, "disk"),
        ("sys/devices/virtual/block/ram0", {}, "ram"),
        ("sys/devices/virtual/block/dcssblk0", {}, "virtual"),
    ],
)
def test_kinds_of_disks(tmp_path: Path, place: str, files: dict[str, str], kind: str) -> None:
    assert disk(tmp_path, place, **files) == kind


def test_the_head_of_nvme_multipath_is_fit() -> None:
    assert idents(field("22-server-1t5-384"), "/dev/nvme0n1p4") == []
    assert all(found_again(name) for name in ("nvme0n1", "nvme0c1n1", "sda", "vda", "mmcblk0", "cciss!c0d0"))


def test_vfat_takes_no_file_of_4_gib() -> None:
    here = field("09-vfat-stick-16g")
    assert idents(here, "/dev/sda1:/h.khib", 15 * GIB) == ["FILESIZE"]
    assert idents(here, "/dev/sda1:/h.khib", 4 * GIB) == ["FILESIZE"]
    assert idents(here, "/dev/sda1:/h.khib", 4 * GIB - 1) == []


def test_ext3_with_small_blocks_takes_no_file_beyond_its_limit() -> None:
    here = changed(field("09-vfat-stick-16g"), "sda1", fstype="ext3", file_limit=16 * GIB)
    assert idents(here, "/dev/sda1:/h.khib", 16 * GIB + 1) == ["FILESIZE"]
    assert idents(here, "/dev/sda1:/h.khib", 16 * GIB) == []


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("22-server-1t5-384", "/dev/nvme0n1p4", []),
        ("23-chromebook-glk", "/dev/nvme0n1p4", []),
        ("25-odd-labels", "/dev/sdb1", ["FOREIGN"]),
        ("25-odd-labels", "/dev/sdb3:/h.khib", []),
        ("26-luks-lvm-nothing-free", "/dev/nvme0n1p3", ["MOUNTED", "SWAP", "HOLDERS"]),
        ("26-luks-lvm-nothing-free", "/dev/nvme0n1p2", ["MOUNTED"]),
        ("29-swap-and-zram", "/dev/nvme0n1p4", ["FOREIGN"]),
        ("29-swap-and-zram", "/dev/nvme0n1p5", ["SWAP"]),
        ("29-swap-and-zram", "/dev/zram0", ["SWAP", "KIND"]),
    ],
)
def test_right_verdicts_stay_right(name: str, text: str, expected: list[str]) -> None:
    assert idents(field(name), text) == expected


def test_where_no_partition_is_free_a_file_on_the_root_is_a_place() -> None:
    free = [str(target) for target, reasons in candidates(field("26-luks-lvm-nothing-free"), GIB) if not reasons]
    assert free == ["swap:/dev/dm-2", "file:/hibernate.khib"]


@pytest.mark.parametrize("name", ["sdb1", "sdb2"])
def test_the_kernels_drivers_decide_on_the_filesystem(name: str) -> None:
    here = field("21-file-on-xfs-module")
    settings = Settings(target=f"/dev/{name}:/h.khib")
    fstype = filesystem(here, settings)
    assert (fstype, without_driver(here.kernels[0], fstype)) == ({"sdb1": "xfs", "sdb2": "btrfs"}[name], [])
    bare = msgspec.structs.replace(here.kernels[0], config={"EXT4_FS": "y"})
    assert [item.ident for item in without_driver(bare, fstype)] == ["HIB-E-TARGET-FILESYSTEM"]
    with pytest.raises(Refused) as caught:
        decide(msgspec.structs.replace(here, kernels=(msgspec.structs.replace(
            here.kernels[0], config={key: value for key, value in here.kernels[0].config.items() if fstype.upper() not in key}
        ),)), settings)  # fmt: skip
    assert caught.value.ident == "HIB-E-TARGET-FILESYSTEM"
    assert decide(here, settings).target == Target(f"/dev/{name}", "/h.khib")
