"""The region: the physical memory B and C live in, and what that means for A, B and C.

A's content of the region is swapped into shadow pages when A jumps, so what has to be saved is A's RAM minus the region,
page for page. All addresses are bytes; all ranges are whole pages.
"""

from __future__ import annotations

from msgspec import Struct

from khib_tui.decide.memorymap import e820
from khib_tui.decide.place import TOP, first_place, gather, largest, largest_place
from khib_tui.errors import Refused
from khib_tui.events.types import Finding, Severity
from khib_tui.i18n import _
from khib_tui.model import cmdline, memmap
from khib_tui.model.choices import AUTOMATIC
from khib_tui.model.limits import E820_MAX, KEXEC_SEGMENT_MAX, MOST_WORKERS, WORKER_MEMORY
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
# The initramfs and what is loaded with it lie in one piece.
_BLOCK = 48 * MIB
# B's first pages must be below 640 KiB; some firmware cuts that into many pieces.
_LOW_PIECES = 4
# Kernel, initramfs, hand-over, boot parameters and mailbox; every piece of the region adds one.
_SEGMENTS = 5


class Region(Struct, frozen=True):
    """Where B and C live: some pages below 640 KiB and RAM from the kernel's place upwards.

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

    It starts where a boot loader puts C too: at the first aligned place from the kernel's preferred address up that holds
    the kernel. Further memory is taken from there upwards, to a multiple of 64 MiB; holes of the firmware and single bad
    pages belong to nobody, the running kernel's own code is left out if there is enough without it. A page that the user
    reserved is left out even where the running kernel lies on it and lists it as RAM (it avoids the first four such words).

    :param wanted: bytes of RAM that B and C get at least; AUTOMATIC for what the kernel needs.
    :raises Refused: the memory map, or a limit of the kernel forbids it.
    """
    ram = system_ram(machine.iomem)
    good = (ram - memmap.named(machine.cmdline, memmap.RESERVED)).inward(PAGE)
    place = _kernel_place(good, kernel)
    low = largest(good.clip(PAGE, LOW_END), _LOW_PIECES)
    needed = max(wanted or proposed(kernel.init_size, machine.cpu.count), place.total + _BLOCK)
    most = KEXEC_SEGMENT_MAX - _SEGMENTS - len(low.spans)
    for avoided in (running_kernel(machine) - place, Ranges()):
        main = gather(good - avoided, place, needed, most=most, block=_BLOCK, step=ALIGN)
        if main is not None:
            break
    else:
        raise Refused(
            _("there is no {size} of memory from {start} upwards, in at most {most} pieces").format(
                size=size(needed), start=size(place.spans[0][0]), most=most
            ),
            hint=_("choose a smaller region"),
            ident="HIB-E-REGION-SMALL",
        )
    region = Region(ram, low | main)
    _refuse_limits(machine, region)
    return region


def _kernel_place(ram: Ranges, kernel: KernelFile) -> Ranges:
    """Return the memory that the kernel starts in."""
    lowest, count = kernel.pref_address, -(-kernel.init_size // PAGE) * PAGE
    start = first_place(ram, count, lowest, kernel.alignment)
    if start is None or (start != lowest and not kernel.relocatable):
        hole = next((start for start, _ in Ranges.of([(lowest, TOP)]) - ram), lowest)
        room = largest_place(ram, lowest, kernel.alignment)
        raise Refused(
            _(
                "kernel {release} needs {size} of memory in one piece from {start} upwards; the firmware has a hole "
                "at {hole:#x}, and the largest piece has {largest}"
            ).format(release=kernel.release, size=size(count), start=size(lowest), hole=hole, largest=size(room)),
            hint=_("choose a kernel for saving that needs at most {size}").format(size=size(room)),
            ident="HIB-E-REGION-HOLE",
        )
    return Ranges.of([(start, start + count)])


def _refuse_limits(machine: Machine, region: Region) -> None:
    """Refuse what kexec_load(2) or B's zero page would not take."""
    if region.own.total * 2 > machine.mem_total:
        raise Refused(
            _("the region of {size} is more than half of this machine's {total}").format(
                size=size(region.own.total), total=size(machine.mem_total)
            ),
            hint=_("choose a smaller region: the kernel loads at most half of the memory"),
            ident="HIB-E-REGION-HALF",
        )
    # The mailbox page takes one more.
    entries = len(e820(machine.firmware_memmap, region.own)) + 1
    if entries > E820_MAX:
        raise Refused(
            _("the saver's memory map would have {entries} entries, {most} fit").format(entries=entries, most=E820_MAX),
            hint=_("choose a smaller region, or boot without memmap= words for single pages"), ident="HIB-E-E820",
        )  # fmt: skip


def running_kernel(machine: Machine) -> Ranges:
    """Return where the running kernel's text and data lie, as one range of whole pages; empty if it is unknown."""
    starts, ends = [item.start for item in machine.kernel_image], [item.end for item in machine.kernel_image]
    return Ranges.of([(min(starts) // PAGE * PAGE, -(-max(ends) // PAGE) * PAGE)]) if starts else Ranges()


def warnings(machine: Machine, region: Region) -> list[Finding]:
    """Return what is to be known about a region that can be used."""
    if not running_kernel(machine) & region.own:
        return []
    again = _("boot without nokaslr") if "nokaslr" in cmdline.split(machine.cmdline) else _("restart")
    return [
        Finding(
            "HIB-E-REGION-TEXT",
            Severity.WARNING,
            _("the running kernel lies where saver and restorer start"),
            _("an interrupt of the firmware (SMI) while the saver starts could wake a processor in code that is swapped aside"),
            _("{again}: the kernel chooses another place at each start").format(again=again),
        )
    ]


def refuse_without_memory(region: Region, available: int) -> None:
    """Refuse when A has too little free memory to set the region's shadow pages aside.

    :raises Refused: naming both sizes.
    """
    if available < region.needed_memory:
        raise Refused(
            _("loading the saver needs {needed} of free memory, {free} is free").format(
                needed=size(region.needed_memory), free=size(available)
            ),
            hint=_("close some programs, or choose a smaller region"),
            ident="HIB-E-MEMORY",
        )


def reserved(machine: Machine, region: Region) -> Ranges:
    """Return all the firmware lists that is not the region: B and C must place nothing there."""
    listed = Ranges.of((item.start, item.end) for item in machine.firmware_memmap) | region.ram
    return listed - region.own


def memmap_words(machine: Machine, region: Region) -> list[str]:
    """Return the kernel parameters that keep C inside the region (Documentation/admin-guide/kernel-parameters).

    A reserved range is written as `SIZE%START+2` (arch/x86/kernel/e820.c): `SIZE$START` means the same, but GRUB's scripts and
    blscfg expand the `$` to nothing.
    """
    words = ["memmap=exactmap"]
    words += [f"memmap={end - start:#x}@{start:#x}" for start, end in region.own]
    words += [f"memmap={end - start:#x}%{start:#x}+2" for start, end in reserved(machine, region)]
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
            _("the loaded segments and the saved ranges do not add up to this machine's memory"),
            hint=_("this is a defect: please report it with the output of `khib facts`"), ident="HIB-E-INVARIANT",
        )  # fmt: skip
