"""What memory this machine has: /proc/iomem, the firmware's own map, /proc/meminfo."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from khib_tui.facts.read import names, text
from khib_tui.model.machine import RAM, MemoryRange
from khib_tui.model.text import clean
from khib_tui.model.units import KIB

_LINE = re.compile(r"^( *)([0-9a-f]{1,16})-([0-9a-f]{1,16}) : (.*)$", re.MULTILINE)
_KERNEL = re.compile(r"Kernel (code|rodata|data|bss)")


def iomem(root: Path) -> tuple[MemoryRange, ...]:
    """Read the top level of /proc/iomem; () where the kernel shows only zeros, as it does to users."""
    found = tuple(item for depth, item in _resources(root) if not depth)
    return found if any(item.start for item in found) else ()


def nested_ram(root: Path) -> tuple[MemoryRange, ...]:
    """Read the System RAM that /proc/iomem shows as part of something else, or under another name.

    Memory of a CXL or dax device or of virtio-mem, once it is online, is `System RAM (kmem)` and the like.
    """
    ram = [(depth, item) for depth, item in _resources(root) if item.type.startswith(RAM)]
    return tuple(item for depth, item in ram if item.start and (depth or item.type != RAM))


def kernel_image(root: Path) -> tuple[MemoryRange, ...]:
    """Read where the running kernel's text, data and bss lie; () if /proc/iomem does not tell."""
    return tuple(item for _, item in _resources(root) if item.start and _KERNEL.fullmatch(item.type))


def _resources(root: Path) -> Iterator[tuple[int, MemoryRange]]:
    """Yield every line of /proc/iomem with its indentation."""
    for blanks, start, last, kind in _LINE.findall(text(root / "proc/iomem")):
        yield len(blanks), _range(start, last, kind)


def _range(start: str, last: str, kind: str) -> MemoryRange:
    return MemoryRange(int(start, 16), int(last, 16) + 1, clean(kind))


def firmware_memmap(root: Path) -> tuple[MemoryRange, ...]:
    """Read the firmware's memory map, sorted by address; () without CONFIG_FIRMWARE_MEMMAP."""
    top = root / "sys/firmware/memmap"
    words = [tuple(text(top / entry / name, 256) for name in ("start", "end", "type")) for entry in names(top)]
    hexadecimal = re.compile(r"0x[0-9a-f]{1,16}")
    sound = [row for row in words if hexadecimal.fullmatch(row[0]) and hexadecimal.fullmatch(row[1])]
    return tuple(sorted((_range(*row) for row in sound), key=lambda item: (item.start, item.end)))


def meminfo(root: Path, key: str) -> int:
    """Read a line of /proc/meminfo in bytes; 0 if it is not there."""
    found = re.search(rf"^{key}:\s+(\d{{1,15}}) kB$", text(root / "proc/meminfo"), re.MULTILINE)
    return int(found[1]) * KIB if found else 0
