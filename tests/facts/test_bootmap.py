"""RAM that was plugged in: what the kernel counts to the firmware's map, and was not in the map it was booted with."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from khib_tui.facts import bootmap
from khib_tui.model.machine import MemoryRange
from khib_tui.model.units import GIB, MIB
from tests.kit.faketree import patched, tree

RAM = "System RAM"
BOOTED = [(0, 0x9FC00, 1), (0x9FC00, 0x400, 2), (MIB, GIB - MIB, 1)]
FIRMWARE = (MemoryRange(0, 0x9FC00, RAM), MemoryRange(0x9FC00, 0xA0000, "Reserved"), MemoryRange(MIB, GIB, RAM))
MODULE = MemoryRange(4 * GIB, 4 * GIB + 256 * MIB, RAM)


def table(rows: list[tuple[int, int, int]]) -> bytes:
    return b"".join(struct.pack("<QQI", *row) for row in rows)


def zero_page(rows: list[tuple[int, int, int]], count: int | None = None) -> bytes:
    return patched(4096, (0x1E8, bytes([len(rows) if count is None else count])), (0x2D0, table(rows)))


def booted(tmp_path: Path, page: bytes, more: dict[str, bytes] | None = None) -> Path:
    return tree(tmp_path, {"sys/kernel/boot_params/data": page, **(more or {})})


def test_a_machine_as_it_was_booted_has_nothing_added(tmp_path: Path) -> None:
    assert bootmap.added(booted(tmp_path, zero_page(BOOTED)), FIRMWARE) == ()


def test_a_module_that_the_map_did_not_list_is_found(tmp_path: Path) -> None:
    assert bootmap.added(booted(tmp_path, zero_page(BOOTED)), (*FIRMWARE, MODULE)) == (MODULE,)


def test_reserved_memory_that_became_ram_is_found_too(tmp_path: Path) -> None:
    turned = (*FIRMWARE[:1], MemoryRange(0x9FC00, 0xA0000, RAM), FIRMWARE[2])
    assert bootmap.added(booted(tmp_path, zero_page(BOOTED)), turned) == (turned[1],)


def test_entries_beyond_the_zero_page_count(tmp_path: Path) -> None:
    more = "sys/kernel/boot_params/setup_data/1/"
    extended = {f"{more}type": b"0x1\n", f"{more}data": table([(4 * GIB, 256 * MIB, 1)])}
    assert bootmap.added(booted(tmp_path, zero_page(BOOTED), extended), (*FIRMWARE, MODULE)) == ()


def test_other_set_up_data_does_not(tmp_path: Path) -> None:
    more = "sys/kernel/boot_params/setup_data/0/"
    other = {f"{more}type": b"0x9\n", f"{more}data": table([(4 * GIB, 256 * MIB, 1)])}
    assert bootmap.added(booted(tmp_path, zero_page(BOOTED), other), (*FIRMWARE, MODULE)) == (MODULE,)


@pytest.mark.parametrize("page", [b"", bytes(4096), zero_page(BOOTED[:1]), zero_page(BOOTED)[:0x1E8]])
def test_an_unknown_map_says_nothing(tmp_path: Path, page: bytes) -> None:
    assert bootmap.added(booted(tmp_path, page), (*FIRMWARE, MODULE)) == ()


def test_a_map_that_is_cut_off_gives_its_whole_entries(tmp_path: Path) -> None:
    page = zero_page(BOOTED, count=128)[: 0x2D0 + 2 * 20 + 7]
    assert bootmap.ram_at_boot(booted(tmp_path, page)).spans == ((0, 0x9FC00),)
