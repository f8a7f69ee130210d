"""C started anew: what is loaded lies in the region, C's memory is all of it, and the tables map what it is entered with."""

from __future__ import annotations

import struct

import msgspec
import pytest

from khib_tui.decide.region import Region
from khib_tui.errors import Refused
from khib_tui.jump import bootparams, paging, start
from khib_tui.jump.loader import Layout
from khib_tui.linux.syscalls import KexecSegment
from khib_tui.model.machine import MemoryRange
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import GIB, MIB, PAGE
from tests.jump.test_loader import FACTS, KERNEL, OWN, RAM

INITRD = 11 * MIB + 5


def make(command_line: str = "nokaslr khib.moved", own: Ranges = OWN) -> tuple[Layout, dict[str, KexecSegment]]:
    here = msgspec.structs.replace(
        FACTS, firmware_memmap=tuple(MemoryRange(first, end, "System RAM") for first, end in RAM), acpi_rsdp=0xF0000
    )
    place, segments = start.prepare(
        here, Region(RAM, own), KERNEL, payload=memoryview(bytes(8 * MIB)), initrd=memoryview(bytes(INITRD)),
        command_line=command_line, of_c=b"\x55" * 4096,
    )  # fmt: skip
    starts = [segment.start for segment in segments]
    assert starts == sorted(starts)
    return place, {segment.name: segment for segment in segments}


def test_only_what_carries_data_is_loaded_and_all_of_it_into_the_region() -> None:
    place, segments = make()
    loaded = Ranges.of((segment.start, segment.end) for segment in segments.values())
    assert OWN.covers(loaded) and loaded.total == sum(segment.end - segment.start for segment in segments.values())
    assert all(
        0 <= item.end - item.start - len(item.data) < PAGE for item in segments.values() if item.name != "boot parameters"
    )
    assert place.kernel == 16 * MIB and place.kernel_end <= place.initrd


def test_the_second_c_has_the_whole_region_and_nothing_else() -> None:
    place, segments = make()
    page = bytes(segments["boot parameters"].data)
    entries = [
        struct.unpack_from("<QQI", page, bootparams.E820_TABLE + 20 * number) for number in range(page[bootparams.E820_ENTRIES])
    ]
    of_kind = {kind: Ranges.of((at, at + count) for at, count, its in entries if its == kind) for kind in (1, 2)}
    assert of_kind[1] == OWN and of_kind[2] == RAM - OWN
    assert struct.unpack_from("<II", page, bootparams.RAMDISK_IMAGE) == (place.initrd, INITRD)
    assert struct.unpack_from("<Q", page, bootparams.ACPI_RSDP_ADDR) == (0xF0000,)
    assert page[bootparams.SCREEN_INFO] == b"\x55" * 0x40
    assert page[PAGE:].startswith(b"nokaslr khib.moved\0")


def test_words_that_would_be_cut_are_refused() -> None:
    with pytest.raises(Refused) as caught:
        make("x" * 2048)
    assert caught.value.ident == "HIB-E-CMDLINE"


def test_a_region_too_small_for_it_is_refused() -> None:
    with pytest.raises(Refused):
        make(own=Ranges.of([(16 * MIB, 40 * MIB)]))


def walk(tables: bytes, at: int, topmost: int, address: int, levels: int) -> int:
    """Translate an address as a processor does."""
    table = topmost
    for level in range(levels - 1, 0, -1):
        entry = struct.unpack_from("<Q", tables, table - at + (address >> (12 + 9 * level) & 511) * 8)[0]
        assert entry & 3 == 3
        if level == 1:
            assert entry & 0x80
            return int(entry & ~0x1FFFFF & ~0xFFF) + address % (2 * MIB)
        assert not entry & 0x80
        table = entry & ~0xFFF
    raise AssertionError


@pytest.mark.parametrize(("la57", "levels"), [(False, 4), (True, 5)])
def test_every_address_below_4_gib_is_itself(la57: bool, levels: int) -> None:
    at = 0xABC_D000
    tables, topmost = paging.identity(at, la57=la57)
    assert len(tables) == paging.SIZE and at <= topmost < at + paging.SIZE
    for address in (0, 0x1234, 16 * MIB + 7, GIB - 1, GIB, 3 * GIB + 5 * MIB, 4 * GIB - 1):
        assert walk(tables, at, topmost, address, levels) == address
