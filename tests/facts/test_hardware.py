"""What C compares of the machine it runs on."""

from __future__ import annotations

from pathlib import Path

from khib_tui.facts.hardware import Hardware, read_hardware
from khib_tui.facts.probe import probe
from tests.kit.faketree import tree
from tests.kit.laptop import DISKS, SYSTEM


def test_c_reads_the_same_of_the_hardware_as_a(tmp_path: Path) -> None:
    root = tree(tmp_path, SYSTEM | DISKS)
    machine, hardware = probe(root), read_hardware(root)
    assert hardware.iomem and hardware.firmware_memmap and hardware.cpu.model and hardware.dmi
    assert hardware == Hardware(machine.iomem, machine.firmware_memmap, machine.cpu, machine.dmi)


def test_what_cannot_be_read_is_empty(tmp_path: Path) -> None:
    found = read_hardware(tmp_path)
    assert (found.iomem, found.firmware_memmap, found.dmi) == ((), (), {})
