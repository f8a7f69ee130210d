"""The region: the physical memory B and C live in, and what that means for A, B and C.

A's content of the region is swapped into shadow pages when A jumps, so what has to be saved is A's RAM minus the region,
page for page. All addresses are bytes; all ranges are whole pages.
"""

from __future__ import annotations

from dataclasses import dataclass

from khib_tui.errors import Refused
from khib_tui.model.choices import AUTOMATIC
from khib_tui.model.limits import MOST_WORKERS, WORKER_MEMORY
from khib_tui.model.machine import RAM, KernelFile, Machine, MemoryRange
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB, PAGE, size

LOW_END = 0xA0000
# IO_STRICT_DEVMEM denies the "RAM buffer" between the end of B's RAM and the next such boundary.
ALIGN = 64 * MIB
SLACK = 16 * MIB
# Beside the kernel itself and threads: the unpacked initramfs, Python, unlocking a sealed image, the kernel's structures.
# Measured in B and C, see docs/architecture.md.
_PROGRAM = 134 * MIB


@dataclass(frozen=True)
class Region:
    """Where B and C live: some pages below 640 KiB and RAM from the kernel's preferred address upwards.

    `ram` is A's whole System RAM, `own` what B and C use of it.
    """

    ram: Ranges
    own: Ranges

    @property
    def saved(self) -> Ranges:
        """A's RAM that must be written to the image: all but the region."""
        return self.ram - self.own

    @property
    def main(self) -> Ranges:
        """The part above 1 MiB."""
        return self.own.clip(MIB, self.own.end)

    @property
    def needed_memory(self) -> int:
        """Free bytes that A must have to load B: a shadow page for each page, and room to do it."""
        return self.own.total + SLACK


def system_ram(ranges: tuple[MemoryRange, ...]) -> Ranges:
    """Return the whole pages of System RAM in a memory map; page 0 is never anybody's."""
    ram = Ranges.of((item.start, item.end) for item in ranges if item.type == RAM)
    return ram.inward(PAGE) - Ranges.of([(0, PAGE)])


def proposed(init_size: int, cpus: int) -> int:
    """Return the bytes of RAM that B and C need with so many processors and a kernel of this size, of which it keeps less."""
    return init_size + _PROGRAM + cpus * MIB + min(cpus, MOST_WORKERS) * WORKER_MEMORY


def choose(machine: Machine, kernel: KernelFile, wanted: int = AUTOMATIC) -> Region:
    """Choose the region for this machine and kernel.

    It starts at the kernel's preferred address, where a boot loader puts C too, and ends at a multiple of 64 MiB;
    holes of the firmware inside it belong to nobody.

    :param wanted: bytes of RAM that B and C get at least; AUTOMATIC for what the kernel needs.
    :raises Refused: the memory map or the kexec limit of half the RAM forbids it.
    """
    ram = system_ram(machine.iomem)
    base = kernel.pref_address
    if not ram.covers(Ranges.of([(base, base + kernel.init_size)])):
        raise Refused(
            f"the firmware uses memory at {base:#x}, where kernel {kernel.release} must start",
            hint="choose another kernel for saving", ident="HIB-E-REGION-HOLE",
        )  # fmt: skip
    low = ram.clip(PAGE, LOW_END)
    needed = wanted or proposed(kernel.init_size, machine.cpu.count)
    end = base
    while ram.clip(base, end).total < needed:
        end = (end // ALIGN + 1) * ALIGN
        if end > min(ram.end, 1 << 32):
            raise Refused(
                f"there is no {size(needed)} of memory from {size(base)} upwards", ident="HIB-E-REGION-SMALL",
                hint="choose a smaller region",
            )  # fmt: skip
    own = low | ram.clip(base, end)
    if own.total * 2 > machine.mem_total:
        raise Refused(
            f"the region of {size(own.total)} is more than half of this machine's {size(machine.mem_total)}",
            hint="choose a smaller region: the kernel loads at most half of the memory", ident="HIB-E-REGION-HALF",
        )  # fmt: skip
    return Region(ram, own)


def refuse_without_memory(region: Region, available: int) -> None:
    """Refuse when A has too little free memory to set the region's shadow pages aside.

    :raises Refused: naming both sizes.
    """
    if available < region.needed_memory:
        raise Refused(
            f"loading the saver needs {size(region.needed_memory)} of free memory, {size(available)} is free",
            hint="close some programs, or choose a smaller region", ident="HIB-E-MEMORY",
        )  # fmt: skip


def reserved(machine: Machine, region: Region) -> Ranges:
    """Return all the firmware lists that is not the region: B and C must place nothing there."""
    listed = Ranges.of((item.start, item.end) for item in machine.firmware_memmap) | region.ram
    return listed - region.own


def memmap_words(machine: Machine, region: Region) -> list[str]:
    """Return the kernel parameters that keep C inside the region (Documentation/admin-guide/kernel-parameters).

    The `$` of a reserved range must be quoted in a boot loader's script; a Boot Loader Specification entry needs none.
    """
    words = ["memmap=exactmap"]
    words += [f"memmap={end - start:#x}@{start:#x}" for start, end in region.own]
    words += [f"memmap={end - start:#x}${start:#x}" for start, end in reserved(machine, region)]
    return words


def assert_complete(region: Region, segments: Ranges, b_ram: Ranges) -> None:
    """Assert the invariant of the jump, from what is really loaded.

    Saved ranges plus swapped segments are exactly A's RAM, and B's RAM lies inside the swapped segments.

    :raises Refused: the plan would lose a page of A; nothing has happened yet.
    """
    saved = region.saved
    sound = not saved & segments and (saved | segments) == region.ram and segments.covers(b_ram) and segments.covers(region.own)
    if not sound:
        raise Refused(
            "the loaded segments and the saved ranges do not add up to this machine's memory",
            hint="this is a defect: please report it with the output of `khib facts`", ident="HIB-E-INVARIANT",
        )  # fmt: skip
