"""Which images are restored at all, and what is compared before."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from khib_tui.decide.findings import blockers
from khib_tui.errors import ImageError
from khib_tui.image import header as headers
from khib_tui.image import manifest as manifests
from khib_tui.image.codec import Codec
from khib_tui.image.header import State
from khib_tui.image.manifest import Manifest, WayBack
from khib_tui.image.store import Store
from khib_tui.model import machine
from khib_tui.model.machine import Machine, MemoryRange, SignatureRule
from khib_tui.model.units import MIB
from khib_tui.restorer import restore as restorer
from tests.kit import MACHINES
from tests.kit.saved import handover, save

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
    assert idents(A) == [] and restorer.outside(C, MANIFEST) == []
    assert [finding.ident for finding in restorer.outside(A, MANIFEST)] == ["HIB-E-REGION-WORD"]


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


@pytest.mark.parametrize(("rule", "expected"), [(SignatureRule.WARN, "HIB-W-FACS"), (SignatureRule.REFUSE, "HIB-E-FACS")])
def test_other_hardware_is_refused_only_if_the_system_asked_for_that(rule: SignatureRule, expected: str) -> None:
    before = msgspec.structs.replace(MANIFEST, hardware_signature="0x00000001", signature_rule=rule)
    here = msgspec.structs.replace(C, hardware_signature="0x00000002")
    findings = restorer.mismatches(here, before, KERNEL)
    assert [finding.ident for finding in findings] == [expected]
    assert bool(blockers(findings)) is (rule is SignatureRule.REFUSE)
    assert idents(here) == [], "an image that does not know it"


def test_the_signature_travels_from_the_hand_over_to_the_manifest(memory: Path, target: Path) -> None:
    given = handover(hardware_signature="0x00000001", signature_rule=SignatureRule.IGNORE, acpi_tables="aa")
    header = save(memory, target, given)
    with Store(target) as store:
        manifest = manifests.read(store, header)
    assert (manifest.hardware_signature, manifest.signature_rule) == ("0x00000001", SignatureRule.IGNORE)
    assert manifest.acpi_tables == "aa"
    assert "HIB-E-ACPI" in [finding.ident for finding in restorer.mismatches(C, manifest, KERNEL)]


@pytest.mark.parametrize("state", [state for state in State if state is not State.COMPLETE])
def test_only_a_complete_image_is_resumed(memory: Path, target: Path, state: State) -> None:
    header = save(memory, target, handover())
    with Store(target, writable=True) as store:
        headers.advance(store, header, state)
        with pytest.raises(ImageError) as caught:
            restorer.examine(store)
    assert caught.value.ident == f"HIB-E-IMAGE-{state.name}"
