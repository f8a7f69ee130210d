"""The memory map that this kernel was booted with, and the RAM that came after: at the next boot it will not be there.

Offsets and types from Documentation/arch/x86/zero-page.rst and boot.rst.
"""

from __future__ import annotations

import struct
from pathlib import Path

from khib_tui.facts.read import data, names, text
from khib_tui.model.machine import RAM, MemoryRange
from khib_tui.model.ranges import Ranges

_ZERO_PAGE = "sys/kernel/boot_params/data"
_MORE = "sys/kernel/boot_params/setup_data"
_COUNT, _TABLE, _MOST = 0x1E8, 0x2D0, 128
_ENTRY = struct.Struct("<QQI")
_E820_RAM, _E820_EXT = 1, 1


def ram_at_boot(root: Path) -> Ranges:
    """Return the RAM of the map that the boot loader handed over, in bytes; empty if that is unknown."""
    page = data(root / _ZERO_PAGE)
    count = page[_COUNT] if len(page) > _COUNT else 0
    if count < 2:  # the kernel takes no such map either
        return Ranges()
    found = _ram(page[_TABLE : _TABLE + min(count, _MOST) * _ENTRY.size])
    for name in names(root / _MORE):
        if text(root / _MORE / name / "type", 32) == f"{_E820_EXT:#x}":
            found |= _ram(data(root / _MORE / name / "data"))
    return found


def added(root: Path, firmware: tuple[MemoryRange, ...]) -> tuple[MemoryRange, ...]:
    """Return the RAM that the kernel counts to the firmware's map by now, and that was not in it at boot.

    :param firmware: /sys/firmware/memmap, to which the kernel adds what is plugged in.
    """
    before = ram_at_boot(root)
    if not before:
        return ()
    now = Ranges.of((item.start, item.end) for item in firmware if item.type == RAM)
    return tuple(MemoryRange(start, end, RAM) for start, end in now - before)


def _ram(table: bytes) -> Ranges:
    whole = len(table) // _ENTRY.size * _ENTRY.size
    rows = _ENTRY.iter_unpack(table[:whole])
    return Ranges.of((start, start + count) for start, count, kind in rows if kind == _E820_RAM)
