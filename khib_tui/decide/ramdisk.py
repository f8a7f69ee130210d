"""Disks that are made of RAM, and that nobody saves: persistent memory only by name."""

from __future__ import annotations

from khib_tui.model.machine import BlockDevice, Machine
from khib_tui.model.ranges import Ranges

_LEGACY = "Persistent Memory (legacy)"


def ram_backed(machine: Machine) -> Ranges:
    """Return the persistent memory that is made of RAM, in bytes: `memmap=nn!ss` makes it so, and it forgets.

    What the firmware itself calls persistent keeps its content.
    """
    listed = Ranges.of((item.start, item.end) for item in machine.firmware_memmap if item.type.startswith("Persistent"))
    return Ranges.of((item.start, item.end) for item in machine.iomem if item.type == _LEGACY) - listed


def made_of_ram(machine: Machine, device: BlockDevice) -> bool:
    """Return whether a disk or partition may lie in such memory."""
    return (device.disk or device.name).startswith("pmem") and bool(ram_backed(machine))
