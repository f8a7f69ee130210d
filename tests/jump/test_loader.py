"""B's segments and zero page: what is loaded is the region, exactly."""

from __future__ import annotations

import struct
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from khib_tui.decide import region
from khib_tui.decide.memorymap import e820
from khib_tui.decide.region import Region
from khib_tui.errors import Refused
from khib_tui.formats.bzimage import BzImage
from khib_tui.jump import loader, stubs
from khib_tui.jump.loader import LoadedB
from khib_tui.model import machine
from khib_tui.model.machine import Machine, MemoryRange
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import GIB, MIB, PAGE
from tests.kit import FIELD, MACHINES

FACTS = machine.load(MACHINES / "qemu-bios-1g.json")
KERNEL = BzImage(
    path=Path("/boot/vmlinuz"), setup_header=b"\x01" * 0x7B, payload_offset=0, payload_size=8 * MIB, protocol=0x20F,
    banner="6.1", init_size=30 * MIB + 5, pref_address=16 * MIB, kernel_alignment=2 * MIB, relocatable=True, xloadflags=1,
    cmdline_size=2047,
)  # fmt: skip
LOW = (PAGE, 0x9F000)


def make(own: Ranges, ram: Ranges, command_line: str = "nokaslr", initrd: int = 11 * MIB) -> tuple[Region, LoadedB]:
    here: Machine = msgspec.structs.replace(
        FACTS, firmware_memmap=tuple(MemoryRange(start, end, "System RAM") for start, end in ram)
    )
    made = Region(ram, own)
    loaded = loader.prepare(
        here, made, KERNEL, payload=memoryview(bytes(8 * MIB)), initrd=memoryview(bytes(initrd)), handover=bytes(9000),
        command_line=command_line, of_a=b"\x55" * 4096,
    )  # fmt: skip
    return made, loaded


RAM = Ranges.of([LOW, (MIB, GIB)])
OWN = Ranges.of([LOW, (16 * MIB, 256 * MIB)])


def test_what_is_swapped_is_the_region_and_b_lives_inside_it() -> None:
    made, loaded = make(OWN, RAM)
    assert loaded.swapped == made.own
    mailbox = Ranges.of([(loaded.layout.mailbox, loaded.layout.mailbox + PAGE)])
    assert loaded.ram == made.own - mailbox
    starts = [segment.start for segment in loaded.segments]
    assert starts == sorted(starts) and len(loaded.segments) <= 16
    assert all(before.end <= after.start for before, after in zip(loaded.segments, loaded.segments[1:], strict=False))
    assert all(segment.start % PAGE == segment.end % PAGE == 0 for segment in loaded.segments)
    assert all(len(segment.data) <= segment.end - segment.start for segment in loaded.segments)


def test_the_zero_page_says_where_everything_is() -> None:
    _, loaded = make(OWN, RAM)
    place = loaded.layout
    page = bytes(next(segment for segment in loaded.segments if segment.start == place.setup).data)[:PAGE]
    image, size = struct.unpack_from("<II", page, 0x218)
    assert image == place.initrd and image + size == place.handover + 9000
    assert struct.unpack_from("<I", page, 0x228)[0] == place.command_line
    assert page[0x210] == 0xFF and page[:0x40] == b"\x55" * 0x40
    count = page[0x1E8]
    entries = [struct.unpack_from("<QQI", page, 0x2D0 + 20 * number) for number in range(count)]
    assert Ranges.of((start, start + length) for start, length, kind in entries if kind == 1) == loaded.ram
    reserved = Ranges.of((start, start + length) for start, length, kind in entries if kind == 2)
    assert reserved.covers(RAM - OWN) and not reserved & loaded.ram


def test_firmware_types_are_kept() -> None:
    firmware = [MemoryRange(0, 8 * PAGE, "System RAM"), MemoryRange(8 * PAGE, 9 * PAGE, "ACPI Tables"),
                MemoryRange(9 * PAGE, 10 * PAGE, "ACPI Non-volatile Storage")]  # fmt: skip
    kinds = {start: kind for start, _, kind in e820(firmware, Ranges.of([(0, 4 * PAGE)]))}
    assert kinds == {0: 1, 4 * PAGE: 2, 8 * PAGE: 3, 9 * PAGE: 4}


def test_the_stub_is_entered_and_finds_mailbox_kernel_and_zero_page() -> None:
    _, loaded = make(OWN, RAM)
    place = loaded.layout
    setup = bytes(next(segment for segment in loaded.segments if segment.start == place.setup).data)
    expected = stubs.enter_b(place.stub, place.mailbox, place.kernel, place.boot_params, place.stack)
    assert setup[2 * PAGE : 2 * PAGE + len(expected)] == expected
    assert setup[PAGE : PAGE + 8] == b"nokaslr\0"
    assert place.stack == place.mailbox


def test_a_command_line_that_would_be_cut_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        make(OWN, RAM, "x" * 2048)
    assert caught.value.ident == "HIB-E-CMDLINE"


def test_an_initramfs_that_does_not_fit_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        make(OWN, RAM, initrd=230 * MIB)
    assert caught.value.ident == "HIB-E-REGION-SMALL"


def test_too_many_holes_are_refused() -> None:
    own = OWN - Ranges.of((at * MIB, at * MIB + PAGE) for at in range(60, 90, 2))
    with pytest.raises(Refused) as caught:
        make(own, RAM & own | (RAM - OWN))
    assert caught.value.ident == "HIB-E-SEGMENTS"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(50 * 256, 250 * 256), st.integers(1, 900)), max_size=4))
def test_no_page_is_lost_whatever_the_holes(holes: list[tuple[int, int]]) -> None:
    gaps = Ranges.of((start * PAGE, (start + size) * PAGE) for start, size in holes)
    try:
        made, loaded = make(OWN - gaps, RAM - gaps)
    except Refused as refused:
        assert refused.ident == "HIB-E-REGION-SMALL"
        return
    assert made.saved | loaded.swapped == RAM - gaps
    assert not made.saved & loaded.swapped


def test_the_kernel_is_loaded_where_the_region_has_room_for_it() -> None:
    hole = Ranges.of([(20 * MIB, 21 * MIB)])
    _, loaded = make(OWN - hole, RAM - hole)
    assert loaded.layout.kernel == 22 * MIB and loaded.layout.kernel_end == 52 * MIB + PAGE
    (segment,) = [item for item in loaded.segments if item.name == "kernel"]
    assert (segment.start, len(segment.data)) == (22 * MIB, 8 * MIB)
    page = bytes(next(item for item in loaded.segments if item.start == loaded.layout.setup).data)
    assert struct.pack("<Q", 22 * MIB + stubs.ENTRY_64) in page[2 * PAGE : 3 * PAGE]


def test_a_region_without_room_for_the_kernel_is_refused() -> None:
    hole = Ranges.of([(20 * MIB, 240 * MIB)])
    with pytest.raises(Refused) as caught:
        make(OWN - hole, RAM - hole)
    assert caught.value.ident == "HIB-E-REGION-HOLE"


@pytest.mark.parametrize("path", sorted([*MACHINES.glob("*.json"), *FIELD.glob("*.json")]), ids=lambda path: path.stem)
def test_what_is_chosen_for_a_machine_can_be_loaded(path: Path) -> None:
    here = machine.load(path)
    file = (here.kernels or FACTS.kernels)[0]
    chosen = region.choose(here, file) if here.iomem else None
    if chosen is None:
        assert here.mem_total == 0 or not here.root
        return
    image = replace(KERNEL, init_size=file.init_size, pref_address=file.pref_address, kernel_alignment=file.alignment)
    loaded = loader.prepare(
        here, chosen, image, payload=memoryview(bytes(8 * MIB)), initrd=memoryview(bytes(30 * MIB)), handover=bytes(9000),
        command_line="", of_a=b"",
    )  # fmt: skip
    assert loaded.swapped == chosen.own and loaded.layout.kernel == chosen.main.spans[0][0]
    assert len(loaded.segments) <= 16 and len(loaded.memory) <= 128
