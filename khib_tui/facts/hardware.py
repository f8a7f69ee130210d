"""The facts that tell one machine from another, and its state as its firmware left it: all that C compares."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from khib_tui.facts import cpuinfo, memory
from khib_tui.facts.firmware import acpi_tables, hardware_signature
from khib_tui.facts.read import text
from khib_tui.model.machine import Cpu, MemoryRange
from khib_tui.model.text import clean

_ROOT = Path("/")
_DMI = ("sys_vendor", "product_name", "product_uuid", "bios_version")


class Hardware(NamedTuple):
    """Memory as the kernel uses it and as the firmware gave it, the processor, the names in DMI, ACPI; as in `Machine`."""

    iomem: tuple[MemoryRange, ...]
    firmware_memmap: tuple[MemoryRange, ...]
    cpu: Cpu
    dmi: dict[str, str]
    hardware_signature: str
    acpi_tables: str


def read_hardware(root: Path = _ROOT) -> Hardware:
    """Read them below a root directory; what cannot be read is empty."""
    names = {name: clean(text(root / "sys/class/dmi/id" / name, 256)) for name in _DMI}
    found = {name: value for name, value in names.items() if value}
    return Hardware(
        memory.iomem(root),
        memory.firmware_memmap(root),
        cpuinfo.read_cpu(root),
        found,
        hardware_signature(root),
        acpi_tables(root),
    )
