"""The region on real and random memory maps, and the words that keep C inside it."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khib_tui.decide import region
from khib_tui.decide.region import Region
from khib_tui.errors import Refused
from khib_tui.events.types import Severity
from khib_tui.model import machine
from khib_tui.model.limits import KEXEC_SEGMENT_MAX
from khib_tui.model.machine import KernelFile, Machine, MemoryRange
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import GIB, MIB, PAGE
from tests.kit import MACHINES
from tests.kit.machines import field

CRUMBS = tuple((at * MIB, (at + 1) * MIB) for at in range(51, 4000, 2))
KERNEL = KernelFile("/boot/vmlinuz", "6.1", 30 * MIB, 16 * MIB, True)


def facts(name: str) -> Machine:
    return machine.load(MACHINES / f"{name}.json")


def with_ram(*spans: tuple[int, int]) -> Machine:
    ranges = tuple(MemoryRange(start, end, "System RAM") for start, end in spans)
    total = sum(end - start for start, end in spans)
    return msgspec.structs.replace(facts("qemu-bios-1g"), iomem=ranges, firmware_memmap=ranges, mem_total=total)


def parsed(words: list[str]) -> tuple[Ranges, Ranges]:
    """Read memmap= words as the kernel does: RAM and reserved ranges."""
    assert words[0] == "memmap=exactmap"
    found: dict[str, list[tuple[int, int]]] = {"@": [], "%": []}
    for word in words[1:]:
        parts = re.fullmatch(r"memmap=(0x[0-9a-f]+)([@%])(0x[0-9a-f]+)(?:\+2)?", word)
        assert parts, word
        size, start = int(parts[1], 16), int(parts[3], 16)
        found[parts[2]].append((start, start + size))
    return Ranges.of(found["@"]), Ranges.of(found["%"])


@pytest.mark.parametrize("path", sorted(MACHINES.glob("*.json")), ids=lambda path: path.stem)
def test_the_words_say_exactly_the_region_and_reserve_the_rest_of_the_memory(path: Path) -> None:
    here = machine.load(path)
    if not here.iomem:
        return
    chosen = region.choose(here, KERNEL)
    ram, reserved = parsed(region.memmap_words(here, chosen))
    assert ram == chosen.own
    assert not ram & reserved
    assert reserved.covers(chosen.saved)
    assert len(" ".join(region.memmap_words(here, chosen))) < 1500


def test_the_region_has_low_pages_and_starts_where_the_kernel_does() -> None:
    chosen = region.choose(facts("qemu-bios-1g"), KERNEL)
    assert chosen.own.spans[0] == (PAGE, 0x9F000)
    assert chosen.main.spans == ((16 * MIB, 256 * MIB),)


@pytest.mark.parametrize(
    ("init_size", "cpus", "end"),
    [(18, 2, 192), (30, 2, 256), (64, 4, 256), (64, 8, 320), (100, 2, 320), (64, 16, 320), (64, 128, 448)],
)
def test_the_region_is_as_large_as_kernel_and_processors_need(init_size: int, cpus: int, end: int) -> None:
    kernel = msgspec.structs.replace(KERNEL, init_size=init_size * MIB)
    here = with_ram((PAGE, 0x9F000), (MIB, 4 * GIB))
    here = msgspec.structs.replace(here, cpu=msgspec.structs.replace(here.cpu, count=cpus))
    assert region.choose(here, kernel).own.end == end * MIB


def test_firmware_holes_inside_the_region_belong_to_nobody() -> None:
    here = with_ram((PAGE, 0x9F000), (MIB, 160 * MIB), (164 * MIB, 4 * GIB))
    chosen = region.choose(here, KERNEL, 240 * MIB)
    assert chosen.main.spans == ((16 * MIB, 160 * MIB), (164 * MIB, 320 * MIB))


def test_odd_pages_below_the_kernel_are_saved_like_any_other() -> None:
    here = with_ram((PAGE, 0xA0000), (MIB, 8 * MIB), (0x808000, 0x80B000), (0x900000, GIB))
    chosen = region.choose(here, KERNEL)
    assert chosen.saved.covers(Ranges.of([(0x808000, 0x80B000), (0x900000, 16 * MIB)]))


@pytest.mark.parametrize(
    ("spans", "wanted", "ident"),
    [
        (((PAGE, 0x9F000), (MIB, 20 * MIB), (21 * MIB, 50 * MIB), (4 * GIB, 8 * GIB)), 240 * MIB, "HIB-E-REGION-HOLE"),
        (((PAGE, 0x9F000), (MIB, 200 * MIB)), 240 * MIB, "HIB-E-REGION-SMALL"),
        (((PAGE, 0x9F000), (MIB, 400 * MIB)), 240 * MIB, "HIB-E-REGION-HALF"),
        (
            ((PAGE, 0x9F000), (MIB, 50 * MIB), *((at * MIB, (at + 1) * MIB) for at in range(51, 4000, 2))),
            0,
            "HIB-E-REGION-SMALL",
        ),
    ],
)
def test_impossible_regions_are_refused(spans: tuple[tuple[int, int], ...], wanted: int, ident: str) -> None:
    with pytest.raises(Refused) as caught:
        region.choose(with_ram(*spans), KERNEL, wanted)
    assert caught.value.ident == ident and caught.value.hint


def test_too_little_free_memory_is_refused_with_both_sizes() -> None:
    chosen = region.choose(facts("qemu-bios-1g"), KERNEL)
    region.refuse_without_memory(chosen, chosen.needed_memory)
    with pytest.raises(Refused, match=r"256\.6 MiB.*100\.0 MiB"):
        region.refuse_without_memory(chosen, 100 * MIB)


SPANS = st.lists(st.tuples(st.integers(4097, 12000), st.integers(1, 4000)), max_size=6)


@given(SPANS)
def test_saved_and_own_memory_are_all_of_it_and_never_the_same(holes: list[tuple[int, int]]) -> None:
    ram = Ranges.of([(PAGE, 0x9F000), (MIB, 64 * MIB), (64 * MIB, 2 * GIB)])
    ram = ram - Ranges.of((start * 16 * PAGE, (start + size) * 16 * PAGE + 100) for start, size in holes)
    here = with_ram(*ram.spans)
    try:
        chosen = region.choose(here, KERNEL)
    except Refused:
        return
    assert chosen.saved | chosen.own == chosen.ram
    assert not chosen.saved & chosen.own
    assert all(edge % PAGE == 0 for span in chosen.own for edge in span)
    region.assert_complete(chosen, chosen.own, chosen.own)


@pytest.mark.parametrize("change", ["missing", "extra", "b outside"])
def test_a_page_too_few_or_too_many_is_never_loaded(change: str) -> None:
    chosen = Region(Ranges.of([(0, 100 * PAGE)]), Ranges.of([(10 * PAGE, 20 * PAGE)]))
    page = Ranges.of([(15 * PAGE, 16 * PAGE)])
    outside = Ranges.of([(20 * PAGE, 21 * PAGE)])
    segments = {"missing": chosen.own - page, "extra": chosen.own | outside}.get(change, chosen.own)
    with pytest.raises(Refused, match="do not add up"):
        region.assert_complete(chosen, segments, chosen.own | outside if change == "b outside" else chosen.own)


def kernel_at(here: Machine, start: int, end: int) -> Machine:
    """A machine whose running kernel lies there, with a gap in it."""
    parts = (MemoryRange(start, start + MIB, "Kernel code"), MemoryRange(end - MIB, end, "Kernel bss"))
    return msgspec.structs.replace(here, kernel_image=parts)


def test_the_region_goes_to_the_first_gap_that_holds_the_kernel() -> None:
    here = field("01-amd-am4-nvs-at-64m")
    chosen = region.choose(here, here.kernels[0])
    assert chosen.main.spans[0] == (0x4200000, 0x9D00000)
    assert chosen.ram.covers(chosen.own) and chosen.main.total >= region.proposed(66371584, 16)
    assert region.warnings(here, chosen) == []


def test_single_bad_pages_cost_no_segment() -> None:
    here = field("20-bad-ram-pages")
    chosen = region.choose(here, here.kernels[0])
    assert chosen.main.spans[0] == (16 * MIB, 0x6A1F000)
    assert len(chosen.own.spans) + 5 <= KEXEC_SEGMENT_MAX
    assert chosen.main.total >= region.proposed(66371584, 8)
    bad = Ranges.of((item.start, item.end) for item in here.iomem if item.end - item.start == PAGE)
    assert not bad & chosen.own


def test_a_bad_page_that_the_running_kernel_lies_on_is_left_out_too() -> None:
    """Seen: the kernel placed itself over a fifth such page, and calls it RAM in /proc/iomem."""
    here = kernel_at(with_ram((PAGE, 0x9F000), (MIB, 4 * GIB)), 90 * MIB, 112 * MIB)
    here = msgspec.structs.replace(here, cmdline="quiet memmap=4K$0x7006000 memmap=0x1000$112M,4K$16M")
    chosen = region.choose(here, KERNEL)
    bad = Ranges.of((page, page + PAGE) for page in (16 * MIB, 112 * MIB, 0x7006000))
    assert not bad & chosen.own and chosen.ram.covers(bad)
    assert parsed(region.memmap_words(here, chosen))[1].covers(bad)


def test_the_running_kernel_is_left_out() -> None:
    here = kernel_at(with_ram((PAGE, 0x9F000), (MIB, 4 * GIB)), 100 * MIB, 140 * MIB)
    chosen = region.choose(here, KERNEL)
    assert chosen.main.spans == ((16 * MIB, 100 * MIB), (140 * MIB, 256 * MIB))
    assert region.warnings(here, chosen) == []


@pytest.mark.parametrize(
    ("line", "fix"), [("quiet nokaslr", "boot without nokaslr"), ('x="nokaslr"', "restart:"), ("quiet -- nokaslr", "restart:")]
)
def test_a_running_kernel_at_the_place_of_c_is_told(line: str, fix: str) -> None:
    here = kernel_at(with_ram((PAGE, 0x9F000), (MIB, 4 * GIB)), 16 * MIB, 60 * MIB)
    here = msgspec.structs.replace(here, cmdline=line)
    chosen = region.choose(here, KERNEL)
    assert chosen.main.spans[0][0] == 16 * MIB
    (warning,) = region.warnings(here, chosen)
    assert warning.severity == Severity.WARNING and warning.fix.startswith(fix)


def test_too_little_memory_beside_the_running_kernel_takes_it_in() -> None:
    spans = ((PAGE, 0x9F000), (MIB, 320 * MIB), (4 * GIB, 8 * GIB))
    here = kernel_at(with_ram(*spans), 100 * MIB, 260 * MIB)
    chosen = region.choose(here, KERNEL, 240 * MIB)
    assert chosen.main.spans == ((16 * MIB, 256 * MIB),) and region.warnings(here, chosen)


def test_the_true_hole_and_what_would_fit_are_named() -> None:
    here = with_ram((PAGE, 0x9F000), (MIB, 40 * MIB), (43 * MIB, 70 * MIB), (4 * GIB, 8 * GIB))
    with pytest.raises(Refused, match=r"at 0x2800000, and the largest piece has 26\.0 MiB") as caught:
        region.choose(here, KERNEL)
    assert "26.0 MiB" in (caught.value.hint or "")


def test_a_kernel_that_is_not_relocatable_starts_where_it_wants_or_nowhere() -> None:
    fixed = msgspec.structs.replace(KERNEL, relocatable=False)
    assert region.choose(with_ram((PAGE, 0x9F000), (MIB, 4 * GIB)), fixed).main.spans[0][0] == 16 * MIB
    with pytest.raises(Refused):
        region.choose(with_ram((PAGE, 0x9F000), (MIB, 17 * MIB), (18 * MIB, 4 * GIB)), fixed)


def test_a_memory_map_that_does_not_fit_into_the_zero_page_is_refused() -> None:
    here = with_ram((PAGE, 0x9F000), (MIB, 4 * GIB))
    many = tuple(MemoryRange((5 << 30) + at * 2 * PAGE, (5 << 30) + (at * 2 + 1) * PAGE, "Reserved") for at in range(130))
    here = msgspec.structs.replace(here, firmware_memmap=(*here.firmware_memmap, *many))
    with pytest.raises(Refused) as caught:
        region.choose(here, KERNEL)
    assert caught.value.ident == "HIB-E-E820"


def test_many_pieces_below_640_kib_are_cut_to_the_largest() -> None:
    low = [(at * 0x10000 + PAGE, at * 0x10000 + (at + 2) * PAGE) for at in range(8)]
    chosen = region.choose(with_ram(*low, (MIB, 4 * GIB)), KERNEL)
    assert chosen.own.clip(0, MIB) == Ranges.of(low[4:])
