"""Which way C takes into its region, told before: started there, or moved there."""

from __future__ import annotations

import msgspec
import pytest

from khib_tui.decide import landing, region
from khib_tui.decide.choice import judge
from khib_tui.events.types import Severity
from khib_tui.model import machine
from khib_tui.model.machine import KernelFile, MemoryRange
from khib_tui.model.settings import Settings
from khib_tui.model.units import MIB
from tests.kit import MACHINES

BIOS = machine.load(MACHINES / "qemu-bios-1g.json")
KERNEL = KernelFile("/boot/vmlinuz", "6.1", 19 * MIB, 16 * MIB, True)
CHOSEN = region.choose(BIOS, KERNEL)


def services(*spans: tuple[int, int]) -> tuple[MemoryRange, ...]:
    return tuple(MemoryRange(start * MIB, end * MIB, "Boot Data") for start, end in spans)


@pytest.mark.parametrize(
    ("taken", "place", "says"),
    [
        (((9, 21),), 22, "starts in its region, at 22.0 MiB"),
        (((9, 10),), 16, "starts in its region, at 16.0 MiB"),
        (((9, 21), (30, 33)), 34, "starts in its region, at 34.0 MiB"),
        (((9, 400),), 400, "will start at 400.0 MiB and move"),
        (((9, 180),), 180, "will start at 180.0 MiB and move"),
    ],
)
def test_the_firmware_s_boot_services_are_in_the_way(taken: tuple[tuple[int, int], ...], place: int, says: str) -> None:
    here = msgspec.structs.replace(BIOS, uefi=True, boot_services=services(*taken))
    assert landing.landing(here, KERNEL) == place * MIB
    finding = landing.judge(here, KERNEL, CHOSEN)
    assert finding.severity is Severity.OK and says in finding.what


def test_a_bios_machine_puts_it_where_the_region_begins() -> None:
    assert landing.landing(BIOS, KERNEL) == CHOSEN.main.spans[0][0]
    assert "starts in its region" in landing.judge(BIOS, KERNEL, CHOSEN).what


def test_a_firmware_that_does_not_tell_is_no_reason_to_worry() -> None:
    finding = landing.judge(msgspec.structs.replace(BIOS, uefi=True), KERNEL, CHOSEN)
    assert finding.severity is Severity.OK and "unknown" in finding.what


def test_check_says_which_way() -> None:
    assert [item.what for item in judge(BIOS, Settings()) if item.ident == "HIB-E-MOVE"]
