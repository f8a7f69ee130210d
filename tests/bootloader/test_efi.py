"""The firmware's own entry: its bytes as the UEFI specification has them, read back."""

from __future__ import annotations

import struct
import uuid

import pytest

from khib_tui.bootloader import efi
from khib_tui.bootloader.bls import BootEntry
from khib_tui.model.boot import Partition

GUID = "6209c23a-4fb5-8b4e-b747-58ae6a4529bf"
PLACE = Partition(2, 2048, 204800, GUID)
ENTRY = BootEntry("Resume (khib)", "/khib/vmlinuz", ("/khib/initramfs.img",), "memmap=1M%1M+2 nokaslr")
# active; description; HD() and File() and the end of the device path; the options, with what the kernel's stub loads
OPTION = (
    struct.pack("<IH", 1, 0x2A + 4 + 2 * len("\\khib\\vmlinuz\0") + 4)
    + "Resume (khib)\0".encode("utf-16-le")
    + struct.pack("<BBHIQQ", 4, 1, 0x2A, 2, 2048, 204800) + uuid.UUID(GUID).bytes_le + b"\x02\x02"
    + struct.pack("<BBH", 4, 4, 4 + 2 * len("\\khib\\vmlinuz\0")) + "\\khib\\vmlinuz\0".encode("utf-16-le")
    + b"\x7f\xff\x04\x00"
    + "initrd=\\khib\\initramfs.img memmap=1M%1M+2 nokaslr\0".encode("utf-16-le")
)  # fmt: skip


def test_the_bytes_are_those_of_the_specification() -> None:
    assert efi.load_option(ENTRY, PLACE) == OPTION
    assert efi.parse(OPTION) == ENTRY and efi.name() == "Boot4B48"


@pytest.mark.parametrize("end", range(0, len(OPTION), 7))
def test_what_is_cut_off_is_no_entry_or_another(end: int) -> None:
    assert efi.parse(OPTION[:end]) != ENTRY


def test_orders_are_lists_of_numbers() -> None:
    assert efi.numbers(b"\x48\x4b\x01\x00") == (0x4B48, 1) and efi.numbers(b"\x01") == ()
