"""Machines from public reports, each with what is right for it: what `check` says, and where the region goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.decide import region
from khib_tui.decide.choice import choose_kernel, decide, judge
from khib_tui.decide.findings import blockers
from khib_tui.decide.target import candidates
from khib_tui.errors import Refused
from khib_tui.events.types import Severity
from khib_tui.facts.probe import probe
from khib_tui.model.settings import Settings
from khib_tui.model.units import MIB
from tests.kit import fakeroot
from tests.kit.machines import field

# Name: the idents that refuse; where the kernel goes (bytes), None where no region is asked for.
RIGHT: dict[str, tuple[set[str], int | None]] = {
    "01-amd-am4-nvs-at-64m": (set(), 0x4200000),
    "03-cxl-kmem": ({"HIB-E-RAM"}, 16 * MIB),
    "04-legacy-pmem-mounted": ({"HIB-E-RAM-DISK"}, 16 * MIB),
    "07-no-kernel-listed": ({"HIB-E-NO-KERNEL"}, None),
    "16-old-4.18.0": ({"HIB-E-OLD-KERNEL", "HIB-E-NO-KERNEL"}, None),
    "16-old-5.14.0": ({"HIB-E-OLD-KERNEL", "HIB-E-NO-KERNEL"}, None),
    "16-old-5.15.0": ({"HIB-E-OLD-KERNEL", "HIB-E-NO-KERNEL"}, None),
    "17-xen-dom0": ({"HIB-E-RAM"}, 16 * MIB),
    "20-bad-ram-pages": (set(), 16 * MIB),
    "22-server-1t5-384": (set(), 16 * MIB),
    "23-chromebook-glk": (set(), 16 * MIB),
    "25-odd-labels": (set(), 16 * MIB),
    "27-kernel-elsewhere": (set(), 16 * MIB),
    "29-swap-and-zram": (set(), 16 * MIB),
    "31-kexeced-a-no-rsdp": (set(), 16 * MIB),
    "31b-uefi-no-rsdp": ({"HIB-E-RSDP"}, 16 * MIB),
}
ROOTS: dict[str, tuple[set[str], set[str]]] = {
    "03-iomem-cxl-kmem": ({"HIB-E-RAM"}, set()),
    "12a-battery-two": (set(), {"HIB-E-BATTERY"}),
    "12b-battery-mouse": (set(), {"HIB-E-BATTERY"}),
    "12c-battery-odd-names": ({"HIB-E-BATTERY"}, set()),
    "12d-battery-acpi-adp1": (set(), {"HIB-E-BATTERY"}),
    "17-xen-dom0": ({"HIB-E-XEN"}, set()),
    "18-hyperv-vmware-balloon": ({"HIB-E-BALLOON"}, {"HIB-E-RAM"}),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_check_says_is_what_a_plan_does(name: str) -> None:
    here, (refusing, base) = field(name), RIGHT[name]
    assert {item.ident for item in blockers(judge(here, Settings()))} == refusing
    if base is not None:
        assert region.choose(here, choose_kernel(here, Settings())).main.spans[0][0] == base
    if not refusing:
        assert decide(here, Settings(), need_target=False).region.main.spans[0][0] == base
        return
    with pytest.raises(Refused) as caught:
        decide(here, Settings(), need_target=False)
    assert caught.value.ident in refusing and caught.value.hint


@pytest.mark.parametrize("name", ROOTS)
def test_what_check_says_of_a_root(tmp_path: Path, name: str) -> None:
    found = {item.ident: item.severity for item in judge(probe(fakeroot.make(tmp_path, name)), Settings())}
    refusing, fine = ROOTS[name]
    assert all(found[ident] == Severity.BLOCKER for ident in refusing)
    assert all(found[ident] == Severity.OK for ident in fine)


def test_a_server_with_many_processors_gets_a_region_for_them() -> None:
    here = field("22-server-1t5-384")
    chosen = region.choose(here, here.kernels[0])
    assert chosen.main.spans == ((16 * MIB, 704 * MIB),)
    assert chosen.ram.total > 1500 << 30


def test_a_chromebook_with_holes_gets_a_region_around_them() -> None:
    here = field("23-chromebook-glk")
    chosen = region.choose(here, here.kernels[0])
    assert chosen.main.spans[0] == (16 * MIB, 0xCFA6000)
    assert chosen.ram.covers(chosen.own) and chosen.main.total >= region.proposed(66371584, 2)


def targets(name: str) -> dict[str, list[str]]:
    found = candidates(field(name), 1 << 30)
    return {
        target.device.removeprefix("/dev/"): [reason.ident for reason in reasons]
        for target, reasons in found if not target.beneath
    }  # fmt: skip


def test_swap_and_what_another_hibernation_left_are_no_targets() -> None:
    found = targets("29-swap-and-zram")
    assert found["nvme0n1p4"] == ["HIB-E-TARGET-FOREIGN"] and found["nvme0n1p5"] == ["HIB-E-TARGET-SWAP"]
    assert "zram0" not in found


def test_odd_labels_are_shown_without_their_tricks() -> None:
    found = [reason.what for _, reasons in candidates(field("25-odd-labels"), 1 << 30) for reason in reasons]
    assert len(found) == 12 and all(text.isprintable() for text in found)
