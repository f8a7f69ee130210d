"""Virtual addresses of A's kernel: the tables of x86-64 with 4 or 5 levels (Intel SDM volume 3A, chapter 4)."""

from __future__ import annotations

import struct

from msgspec import Struct, field

from khib_tui.i18n import _
from khib_tui.model.units import MIB, PAGE
from khib_tui.pagefilter.view import Doubt, Reader
from khib_tui.pagefilter.vmcoreinfo import VmcoreInfo

KERNEL_MAP = 0xFFFFFFFF80000000  # __START_KERNEL_map: the kernel image
_KERNEL_SPAN = 1024 * MIB
_ADDRESS = 0x000FFFFFFFFFF000
_PRESENT, _HUGE = 1, 1 << 7
_HUGE_LEVELS = (30, 21)


class AddressSpace(Struct, frozen=True):
    """A's kernel addresses.

    :param root: physical address of init_top_pgt.
    :param phys_base: what to add to an offset in the kernel image.
    :param page_offset: virtual address of physical address 0.
    """

    memory: Reader
    root: int
    phys_base: int
    page_offset: int
    levels: int
    tables: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def physical(self, virtual: int) -> tuple[int, int]:
        """Translate an address; gives the physical one, and how many bytes from it on lie in one piece.

        :raises Doubt: nothing is mapped there.
        """
        if virtual >= KERNEL_MAP:
            return virtual - KERNEL_MAP + self.phys_base, max(KERNEL_MAP + _KERNEL_SPAN - virtual, PAGE)
        return self._walk(virtual)

    def _walk(self, virtual: int) -> tuple[int, int]:
        table = self.root
        for shift in range(12 + 9 * (self.levels - 1), 11, -9):
            entry = self._table(table)[virtual >> shift & 511]
            if not entry & _PRESENT:
                raise Doubt(_("the kernel's address {virtual:#x} is not mapped").format(virtual=virtual))
            if shift == 12 or (shift in _HUGE_LEVELS and entry & _HUGE):
                size = 1 << shift
                start = entry & _ADDRESS & ~(size - 1)
                return start + virtual % size, size - virtual % size
            table = entry & _ADDRESS
        raise AssertionError("unreachable")

    def _table(self, address: int) -> tuple[int, ...]:
        if address not in self.tables:
            self.tables[address] = struct.unpack("<512Q", self.memory.read(address, PAGE))
        return self.tables[address]

    def read(self, virtual: int, count: int) -> bytes:
        """Read bytes at a virtual address.

        :raises Doubt: a part of them is not mapped.
        """
        parts = []
        while count:
            address, room = self.physical(virtual)
            take = min(count, room)
            parts.append(self.memory.read(address, take))
            virtual, count = virtual + take, count - take
        return b"".join(parts)

    def words(self, virtual: int, count: int) -> tuple[int, ...]:
        """Read 64-bit words at a virtual address."""
        return struct.unpack(f"<{count}Q", self.read(virtual, 8 * count))


def kernel_space(memory: Reader, info: VmcoreInfo, page_offset: int) -> AddressSpace:
    """Find A's kernel page tables.

    :param memory: physical memory as A sees it.
    :raises Doubt: the kernel does not tell where they are, or its direct map is elsewhere than was said.
    """
    phys_base = info.number("phys_base")
    top = info.symbol("init_top_pgt" if "SYMBOL(init_top_pgt)" in info.lines else "swapper_pg_dir")
    levels = 5 if info.optional("pgtable_l5_enabled") else 4
    space = AddressSpace(memory, top - KERNEL_MAP + phys_base, phys_base, page_offset, levels)
    if space.physical(page_offset + space.root)[0] != space.root:
        raise Doubt(_("the kernel's page tables do not hold its direct map"))
    return space
