"""What C compares of the machine it runs on."""

from __future__ import annotations

from pathlib import Path

from khib_tui.facts.hardware import Hardware, read_hardware
from khib_tui.facts.probe import probe
from tests.kit.faketree import Content, tree
from tests.kit.laptop import DISKS, SYSTEM

TABLES = "sys/firmware/acpi/tables"
ACPI: dict[str, Content] = {
    f"{TABLES}/FACS": b"FACS\x40\0\0\0\1\0\0\0", f"{TABLES}/FACP": b"FACP", f"{TABLES}/DSDT": b"DSDT",
}  # fmt: skip


def test_c_reads_the_same_of_the_hardware_as_a(tmp_path: Path) -> None:
    root = tree(tmp_path, SYSTEM | DISKS | ACPI)
    machine, hardware = probe(root), read_hardware(root)
    assert hardware.iomem and hardware.firmware_memmap and hardware.cpu.model and hardware.dmi
    assert hardware.hardware_signature and hardware.acpi_tables
    assert hardware == Hardware(
        machine.iomem, machine.firmware_memmap, machine.cpu, machine.dmi, machine.hardware_signature,
        machine.acpi_tables,
    )  # fmt: skip


def test_what_cannot_be_read_is_empty(tmp_path: Path) -> None:
    found = read_hardware(tmp_path)
    assert (found.iomem, found.firmware_memmap, found.dmi) == ((), (), {})
