"""The firmware's memory map, then and now."""

from __future__ import annotations

import msgspec
import pytest

from khib_tui.model import machine
from khib_tui.model.machine import MemoryRange
from khib_tui.model.units import MIB
from khib_tui.restorer.memorymap import changes
from tests.kit import MACHINES, ROOT

FIELD = ROOT / "tests" / "field"
SAVED = machine.load(FIELD / "05a-saved.json").firmware_memmap


@pytest.mark.parametrize("name", ["05a-saved", "05c-resumed-again"])
def test_a_map_that_is_as_it_was_is_no_reason(name: str) -> None:
    assert changes(SAVED, machine.load(FIELD / f"{name}.json").firmware_memmap) == []


def test_tables_that_slid_are_told_as_what_they_are_with_what_helps() -> None:
    (finding,) = changes(SAVED, machine.load(FIELD / "05b-resumed.json").firmware_memmap)
    assert finding.ident == "HIB-E-MEMMAP" and "tables elsewhere: 12.0 KiB of RAM" in finding.what
    assert "try again; the image is kept" in finding.fix and "memory and firmware settings" not in finding.fix


def test_memory_that_was_taken_out_is_told_as_that() -> None:
    last = max(SAVED, key=lambda item: item.end if item.type == "System RAM" else 0)
    less = [msgspec.structs.replace(item, end=item.end - 1024 * MIB) if item is last else item for item in SAVED]
    (finding,) = changes(SAVED, less)
    assert "29.6 GiB now" in finding.what and "former memory" in finding.fix and "the image is kept" in finding.fix


def test_acpi_that_moved_within_reserved_memory_is_seen_and_reserved_memory_may_move() -> None:
    facts = machine.load(MACHINES / "qemu-uefi-5g.json").firmware_memmap
    tables = next(item for item in facts if item.type == "ACPI Tables")
    slid = [msgspec.structs.replace(item, start=item.start + 4096) if item is tables else item for item in facts]
    assert [finding.ident for finding in changes(facts, slid)] == ["HIB-E-MEMMAP"]
    assert changes(facts, (*facts, MemoryRange(1 << 40, (1 << 40) + 4096, "Reserved"))) == []
