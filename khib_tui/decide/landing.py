"""Where C will be put at its next start: inside the region, or beside it, from where it moves itself."""

from __future__ import annotations

from khib_tui.decide.place import first_place
from khib_tui.decide.region import Region, system_ram
from khib_tui.events.types import Finding, Severity
from khib_tui.i18n import _
from khib_tui.model.machine import KernelFile, Machine
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import PAGE, size


def landing(machine: Machine, kernel: KernelFile) -> int | None:
    """Return the physical address that C's kernel will be put at; None if that cannot be told.

    GRUB on a BIOS machine takes the first place in RAM. The kernel's EFI stub (efi_random_alloc in
    drivers/firmware/efi/libstub) takes the first that the firmware's boot services, which A has as RAM by now, leave free.
    """
    if machine.uefi and not machine.boot_services:
        return None
    taken = Ranges.of((item.start, item.end) for item in machine.boot_services)
    free = system_ram(machine.iomem) - taken
    return first_place(free, pages(kernel), kernel.pref_address, kernel.alignment)


def pages(kernel: KernelFile) -> int:
    """Return the bytes that the kernel starts in."""
    return -(-kernel.init_size // PAGE) * PAGE


def judge(machine: Machine, kernel: KernelFile, region: Region) -> Finding:
    """Say which way C takes; either leads back."""
    place = landing(machine, kernel)
    longer = _("which takes a kernel start longer")
    if place is None:
        what = _(
            "it is unknown where this firmware puts the restorer: it moves into its region if that is elsewhere, {longer}"
        ).format(longer=longer)
    elif region.own.covers(Ranges.of([(place, place + pages(kernel))])):
        what = _("the restorer starts in its region, at {size}").format(size=size(place))
    else:
        what = _("the restorer will start at {size} and move into its region, {longer}").format(size=size(place), longer=longer)
    return Finding("HIB-E-MOVE", Severity.OK, what)
