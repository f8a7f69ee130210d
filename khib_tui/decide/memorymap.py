"""B's memory map, in the form of the zero page (Documentation/arch/x86/zero-page.rst)."""

from __future__ import annotations

from collections.abc import Sequence

from khib_tui.model.machine import MemoryRange
from khib_tui.model.ranges import Ranges

E820_TYPES = {
    "System RAM": 1,
    "Reserved": 2,
    "ACPI Tables": 3,
    "ACPI Non-volatile Storage": 4,
    "Unusable memory": 5,
    "Persistent Memory": 7,
}
E820_RAM = 1
E820_RESERVED = 2


def e820(firmware: Sequence[MemoryRange], ram: Ranges) -> list[tuple[int, int, int]]:
    """Make B's memory map: `ram` is its RAM, all of A's other RAM is reserved, the rest is as the firmware says.

    :returns: sorted `(start, size, type)` in bytes.
    """
    typed = {
        kind: Ranges.of((item.start, item.end) for item in firmware if E820_TYPES.get(item.type, 2) == kind)
        for kind in set(E820_TYPES.values())
    }
    typed[E820_RESERVED] = (typed[E820_RESERVED] | typed[E820_RAM]) - ram
    typed[E820_RAM] = ram
    return sorted((start, end - start, kind) for kind, ranges in typed.items() for start, end in ranges)
