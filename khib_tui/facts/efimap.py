"""The firmware's own ranges of memory, as the kernel keeps them (/sys/firmware/efi/runtime-map)."""

from __future__ import annotations

from pathlib import Path

from khib_tui.facts.read import names, number
from khib_tui.model.machine import MemoryRange
from khib_tui.model.units import PAGE

_TOP = "sys/firmware/efi/runtime-map"
_BOOT_SERVICES = {3: "Boot Code", 4: "Boot Data"}
_MOST = 1 << 52


def boot_services(root: Path) -> tuple[MemoryRange, ...]:
    """Read the ranges that the firmware's boot services had, sorted; () where the kernel does not keep them.

    They are RAM of the running kernel, and in use when a boot loader or the kernel's EFI stub looks for free memory.
    """
    found = []
    for name in names(root / _TOP):
        kind, start, count = (number(root / _TOP / name / key) for key in ("type", "phys_addr", "num_pages"))
        if kind in _BOOT_SERVICES and 0 <= start < _MOST and 0 < count < _MOST // PAGE:
            found.append(MemoryRange(start, start + count * PAGE, _BOOT_SERVICES[kind]))
    return tuple(sorted(found, key=lambda item: (item.start, item.end)))
