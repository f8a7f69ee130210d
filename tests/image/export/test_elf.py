"""An export as ELF."""

from __future__ import annotations

import json

from elftools.elf.elffile import ELFFile

from khib_tui.image.export.elf import runs
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB, PAGE
from tests.kit.exported import DIRECT_MAP, ENTRY, Hibernated, expected, memory_of, note_segments


def test_the_elf_holds_the_memory_as_its_kernel_saw_it_and_nothing_else(slept: Hibernated) -> None:
    with slept.image.with_name("elf").open("rb") as stream:
        elf = ELFFile(stream)
        assert memory_of(elf) == expected(slept)
        loads = list(elf.iter_segments("PT_LOAD"))
    assert all(load["p_filesz"] == load["p_memsz"] and load["p_offset"] % PAGE == 0 < load["p_offset"] for load in loads)
    assert all(load["p_vaddr"] - load["p_paddr"] == DIRECT_MAP for load in loads)


def test_zeros_take_no_room_in_the_elf(slept: Hibernated) -> None:
    assert slept.taken["elf"] < slept.image.with_name("elf").stat().st_size - 3 * MIB


def test_the_manifest_travels_in_a_note(slept: Hibernated) -> None:
    with slept.image.with_name("elf").open("rb") as stream:
        notes = [note for part in note_segments(ELFFile(stream)) for note in part.iter_notes()]
    assert [note["n_name"] for note in notes] == ["CORE", "CORE", "VMCOREINFO", "KHIB"]
    assert json.loads(notes[-1]["n_descdata"])["way_back"]["entry"] == ENTRY


def test_holes_are_closed_only_where_memory_is_known_and_the_shortest_first() -> None:
    present = Ranges.of((number * 4 * PAGE, (number * 4 + 2 + number % 2) * PAGE) for number in range(100))
    assert len(runs(present, present, limit=10)) == 100
    some = runs(present, Ranges.of([(0, 400 * PAGE)]), limit=60)
    assert len(some) == 51 and sum(run.filesz for run in some) > present.total
    assert len(runs(present, Ranges.of([(0, 400 * PAGE)]), limit=10)) == 1
