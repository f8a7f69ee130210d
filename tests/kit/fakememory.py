"""Physical memory made by hand, page by page."""

from __future__ import annotations

import struct

from khib_tui.model.units import MIB, PAGE

DIRECT = 0xFFFF888000000000
VMEMMAP = 0xFFFFEA0000000000
ROOT = 32 * MIB + 0x1000


class Memory(dict[int, bytes]):
    """Physical memory: page address to content, zero where nothing was put."""

    def read(self, start: int, count: int) -> bytes:
        parts, at = [], start
        while at < start + count:
            page, inner = at // PAGE * PAGE, at % PAGE
            take = min(PAGE - inner, start + count - at)
            parts.append(self.get(page, bytes(PAGE))[inner : inner + take])
            at += take
        return b"".join(parts)

    def put(self, start: int, data: bytes) -> None:
        for at in range(0, len(data), PAGE):
            base, inner = (start + at) // PAGE * PAGE, (start + at) % PAGE
            part = data[at : at + PAGE]
            page = bytearray(self.get(base, bytes(PAGE)))
            assert inner + len(part) <= PAGE
            page[inner : inner + len(part)] = part
            self[base] = bytes(page)


def page(mark: int = -1, order: int = 0, count: int = 0, head: int = 0, flags: int = 0) -> bytes:
    """A struct page."""
    return struct.pack("<QQ24xQiI8x", flags, head, order, mark, count)


def kernel() -> Memory:
    """Make the memory of a kernel of 256 MiB with two sections: page tables, section table, struct pages at 80 MiB."""
    memory = Memory()
    memory.put(ROOT + 8 * (DIRECT >> 39 & 511), struct.pack("<Q", 34 * MIB | 3))
    memory.put(34 * MIB + 8 * (DIRECT >> 30 & 511), struct.pack("<Q", 0x83))
    memory.put(ROOT + 8 * (VMEMMAP >> 39 & 511), struct.pack("<Q", 35 * MIB | 3))
    memory.put(35 * MIB, struct.pack("<Q", 36 * MIB | 3))
    memory.put(36 * MIB, struct.pack("<2Q", 80 * MIB | 0x83, 37 * MIB | 3))
    memory.put(37 * MIB, struct.pack("<512Q", *(82 * MIB + number * PAGE | 3 for number in range(512))))
    memory.put(0x5000, struct.pack("<Q", DIRECT + 0x6000))
    memory.put(0x6000, struct.pack("<QQQQ", VMEMMAP | 0xF, 0, VMEMMAP | 0xF, 0))
    busy = page(count=1) * 64
    for at in range(80 * MIB, 84 * MIB, PAGE):
        memory[at] = busy
    return memory
