"""The zero page that tells kernel B what it has: an exact memory map, the command line, the initramfs.

Offsets from Documentation/arch/x86/zero-page.rst.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from khib_tui.errors import Refused
from khib_tui.formats.bzimage import BzImage
from khib_tui.i18n import _
from khib_tui.model.limits import E820_MAX

SIZE = 4096
SCREEN_INFO = slice(0x000, 0x040)
ACPI_RSDP_ADDR = 0x070
E820_ENTRIES = 0x1E8
SETUP_HEADER = 0x1F1
TYPE_OF_LOADER = 0x210
RAMDISK_IMAGE = 0x218
RAMDISK_SIZE = 0x21C
CMD_LINE_PTR = 0x228
E820_TABLE = 0x2D0


def boot_params(
    kernel: BzImage, *, memory: Sequence[tuple[int, int, int]], command_line: int, initrd: tuple[int, int],
    of_a: bytes, acpi_rsdp: int,
) -> bytes:  # fmt: skip
    """Fill in the zero page.

    :param memory: B's e820 table.
    :param command_line: physical address of the command line.
    :param initrd: physical address and size.
    :param of_a: A's own boot_params (`/sys/kernel/boot_params/data`), for the screen; may be empty.
    :param acpi_rsdp: physical address of the ACPI root pointer, 0 if B can find it by itself.
    :raises Refused: the memory map has more entries than fit.
    """
    if len(memory) > E820_MAX:
        raise Refused(
            _("the memory map has {count} entries, {most} fit").format(count=len(memory), most=E820_MAX),
            ident="HIB-E-E820",
        )
    page = bytearray(SIZE)
    page[SCREEN_INFO] = of_a[SCREEN_INFO].ljust(0x40, b"\0")
    page[SETUP_HEADER : SETUP_HEADER + len(kernel.setup_header)] = kernel.setup_header
    page[TYPE_OF_LOADER] = 0xFF
    page[E820_ENTRIES] = len(memory)
    struct.pack_into("<Q", page, ACPI_RSDP_ADDR, acpi_rsdp)
    struct.pack_into("<II", page, RAMDISK_IMAGE, *initrd)
    struct.pack_into("<I", page, CMD_LINE_PTR, command_line)
    for number, entry in enumerate(memory):
        struct.pack_into("<QQI", page, E820_TABLE + number * 20, *entry)
    return bytes(page)
