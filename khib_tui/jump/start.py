"""Starting C anew inside the region: kernel and initramfs lie where B's would, and a plain kexec enters the kernel.

Nothing of this machine is kept, so only what carries data is loaded; C's memory map makes the rest of the region its RAM.
"""

from __future__ import annotations

from khib_tui.decide.memorymap import e820
from khib_tui.decide.region import Region
from khib_tui.errors import Refused
from khib_tui.formats.bzimage import BzImage
from khib_tui.i18n import _
from khib_tui.jump import paging, stubs
from khib_tui.jump.bootparams import boot_params
from khib_tui.jump.loader import COMMAND_LINE_MAX, Layout, layout, pages
from khib_tui.linux.syscalls import KexecSegment
from khib_tui.model.machine import Machine
from khib_tui.model.units import PAGE


def prepare(
    machine: Machine, region: Region, kernel: BzImage, *, payload: memoryview, initrd: memoryview, command_line: str,
    of_c: bytes,
) -> tuple[Layout, tuple[KexecSegment, ...]]:  # fmt: skip
    """Make the segments of C.

    :param machine: as the firmware describes it.
    :param payload: the protected-mode kernel of the bzImage.
    :param initrd: the initramfs with the hand-over behind it.
    :param of_c: the zero page of the C that runs, for the screen; may be empty.
    :raises Refused: something does not fit.
    """
    text = command_line.encode()
    if len(text) > min(COMMAND_LINE_MAX, kernel.cmdline_size):
        raise Refused(_("the command line of C has {count} bytes, too many").format(count=len(text)), ident="HIB-E-CMDLINE")
    place = layout(region, kernel, len(initrd), paging.SIZE)
    tables, topmost = paging.identity(place.handover, la57=machine.cpu.la57)
    zero_page = boot_params(
        kernel, memory=e820(machine.firmware_memmap, region.own), command_line=place.command_line, of_a=of_c,
        acpi_rsdp=machine.root_pointer, initrd=(place.initrd, len(initrd)),
    )  # fmt: skip
    stub = stubs.enter_c(place.stub, topmost, place.kernel, place.boot_params, place.stack)
    segments = (
        KexecSegment("kernel", place.kernel, place.kernel + pages(len(payload)), payload),
        KexecSegment("initramfs", place.initrd, place.initrd + pages(len(initrd)), initrd),
        KexecSegment("page tables", place.handover, place.handover + len(tables), tables),
        KexecSegment("boot parameters", place.setup, place.stack, zero_page + text.ljust(PAGE, b"\0") + stub),
    )
    return place, tuple(sorted(segments, key=lambda segment: segment.start))
