"""What C compares before it resumes, and which image it takes."""

from __future__ import annotations

import msgspec
import pytest

from khib_tui.errors import ImageError, Refused
from khib_tui.handover.cmdline import Words
from khib_tui.image.codec import Codec
from khib_tui.image.header import Header, State
from khib_tui.image.manifest import Manifest, WayBack
from khib_tui.model import machine
from khib_tui.model.identity import DeviceKey, TargetRef
from khib_tui.model.machine import Machine, MemoryRange
from khib_tui.model.origin import DiskPrint
from khib_tui.model.units import MIB
from khib_tui.restorer import restore as restorer
from khib_tui.restorer import run as kernel_c
from khib_tui.seal.keyslots import Cipher, Seal
from khib_tui.target import catalog, guard
from khib_tui.target.catalog import Found
from tests.kit import MACHINES

A = machine.load(MACHINES / "qemu-bios-1g.json")
REGION = ((0x1000, 0x9F000), (16 * MIB, 256 * MIB))
C = msgspec.structs.replace(A, iomem=tuple(MemoryRange(start, end, "System RAM") for start, end in REGION))
KERNEL = ("6.1.0", "#1 SMP")
MANIFEST = Manifest(
    image_id="aa", created=0, host="a", release="r", version="v", saver_release=KERNEL[0], saver_version=KERNEL[1], cpu=A.cpu,
    uefi=False, dmi=A.dmi, firmware_memmap=A.firmware_memmap, ram=(), region=REGION, saved=(), way_back=WayBack(0, 0, 0, ""),
    disks=(), codec=Codec.LZ4, payload_offset=0, payload_size=0, raw_size=0, frames=0, index_offset=0, index_size=0,
    index_digest="", save_seconds=0, free_bytes=0, zero_bytes=0,
)  # fmt: skip


def idents(here: Machine, kernel: tuple[str, str] = KERNEL) -> list[str]:
    return [finding.ident for finding in restorer.mismatches(here, MANIFEST, kernel)]


def test_the_same_machine_in_the_region_may_resume() -> None:
    assert idents(C) == []


def test_a_kernel_outside_the_region_would_be_overwritten() -> None:
    assert idents(A) == ["HIB-E-REGION-WORD"]


def test_more_or_less_memory_is_refused() -> None:
    for change in (-64 * MIB, 64 * MIB):
        last = max(A.firmware_memmap, key=lambda item: item.end if item.type == "System RAM" else 0)
        moved = tuple(
            msgspec.structs.replace(item, end=item.end + change) if item is last else item for item in A.firmware_memmap
        )
        assert idents(msgspec.structs.replace(C, firmware_memmap=moved)) == ["HIB-E-MEMMAP"]


def test_reserved_ranges_may_move() -> None:
    moved = (*A.firmware_memmap, MemoryRange(1 << 40, (1 << 40) + 4096, "Reserved"))
    assert idents(msgspec.structs.replace(C, firmware_memmap=moved)) == []


@pytest.mark.parametrize(
    ("change", "ident"),
    [
        ({"model": "another"}, "HIB-E-CPU"),
        ({"stepping": 99}, "HIB-E-CPU"),
        ({"flags_digest": "0" * 64}, "HIB-E-CPU-FLAGS"),
        ({"la57": not A.cpu.la57}, "HIB-E-LA57"),
    ],
)
def test_another_processor_is_refused(change: dict[str, object], ident: str) -> None:
    assert idents(msgspec.structs.replace(C, cpu=msgspec.structs.replace(A.cpu, **change))) == [ident]


def test_another_kernel_or_machine_is_refused() -> None:
    assert idents(C, ("6.1.0", "#2 SMP")) == ["HIB-E-KERNEL"]
    assert idents(msgspec.structs.replace(C, dmi={"product_uuid": "other"})) == ["HIB-E-DMI"]


def image(where: str, state: State, ident: str = "aa") -> Found:
    return Found(TargetRef(DeviceKey(where, 0, 1, "")), where, Header(ident, state, 1, host="a"))


def test_the_only_complete_image_is_taken() -> None:
    found = [image("/dev/a", State.DONE), image("/dev/b", State.COMPLETE), image("/dev/c", State.PARTIAL)]
    assert catalog.choose(found).where == "/dev/b"


@pytest.mark.parametrize(
    ("found", "ident"),
    [
        ([], "HIB-E-NO-IMAGE"),
        ([image("/dev/a", State.CLAIMED)], "HIB-E-IMAGE-CLAIMED"),
        ([image("/dev/a", State.DONE)], "HIB-E-IMAGE-DONE"),
        ([image("/dev/a", State.PARTIAL)], "HIB-E-IMAGE-PARTIAL"),
        ([image("/dev/a", State.ABANDONED)], "HIB-E-IMAGE-ABANDONED"),
        ([image("/dev/a", State.COMPLETE), image("/dev/b", State.COMPLETE)], "HIB-E-TWO-IMAGES"),
    ],
)
def test_otherwise_it_says_why_not(found: list[Found], ident: str) -> None:
    with pytest.raises(ImageError) as caught:
        catalog.choose(found)
    assert caught.value.ident == ident and caught.value.hint


def test_one_of_two_images_can_be_named() -> None:
    found = [image("/dev/a", State.COMPLETE, "aa"), image("/dev/b", State.COMPLETE, "bb")]
    assert catalog.choose(found, "/dev/b").where == catalog.choose(found, "bb").where == "/dev/b"


def test_disks_that_are_missing_or_changed_are_named() -> None:
    root = DiskPrint("vda2", "id", 1, 2, "s", "ROOT", "x")
    data = DiskPrint("vdb1", "id2", 1, 2, "s", "", "y")
    assert guard.compare([root, data], [data, root]) == []
    renamed = msgspec.structs.replace(root, name="sdc2")
    assert guard.compare([root], [renamed]) == []
    changed = msgspec.structs.replace(root, digest="z")
    found = guard.compare([root, data], [changed])
    assert [finding.ident for finding in found] == ["HIB-E-DISK-CHANGED", "HIB-E-DISK-MISSING"]
    assert "vda2 (ROOT)" in found[0].what and all(finding.fix for finding in found)


def test_where_images_are_sealed_no_other_is_resumed() -> None:
    unsealed = Header("aa", State.COMPLETE, 1)
    kernel_c.refuse_unsealed(unsealed, sealed=False)
    kernel_c.refuse_unsealed(msgspec.structs.replace(unsealed, seal=Seal(Cipher.AES, ())), sealed=True)
    with pytest.raises(Refused) as caught:
        kernel_c.refuse_unsealed(unsealed, Words.parse("quiet khib.sealed khib.countdown=3").sealed)
    assert caught.value.ident == "HIB-E-UNSEALED"
