"""B has no EFI: it must be told where the ACPI tables are."""

from __future__ import annotations

import msgspec
import pytest

from khib_tui.decide.checks import check
from khib_tui.decide.findings import blockers
from tests.kit.machines import UEFI, field


def test_uefi_without_a_root_pointer_is_refused() -> None:
    assert [item.ident for item in blockers(check(field("31b-uefi-no-rsdp")))] == ["HIB-E-RSDP"]


def test_a_kexeced_system_is_told_by_its_command_line() -> None:
    here = field("31-kexeced-a-no-rsdp")
    assert blockers(check(here)) == [] and here.root_pointer == 0x7FFE014
    assert blockers(check(msgspec.structs.replace(here, uefi=True))) == []


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("", 0x1000), ("acpi_rsdp=0x2000", 0x2000), ("acpi_rsdp=2000", 0x2000), ("acpi_rsdp=0x1 acpi_rsdp=0x2", 2),
        ("acpi_rsdp=none", 0x1000), ("acpi_rsdp", 0x1000), ('x="acpi_rsdp=0x3"', 0x1000), ("-- acpi_rsdp=0x3", 0x1000),
    ],
)  # fmt: skip
def test_the_word_overrides_the_firmware(line: str, address: int) -> None:
    assert msgspec.structs.replace(UEFI, acpi_rsdp=0x1000, cmdline=line).root_pointer == address


def test_without_acpi_nobody_needs_it() -> None:
    here = msgspec.structs.replace(field("31b-uefi-no-rsdp"), cmdline="acpi=off")
    assert blockers(check(here)) == []
