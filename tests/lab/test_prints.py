"""The matrix of prints: what its figures say; and, as a long test, some of its cells in the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.errors import Exit
from khib_tui.events.types import Event, Result
from khib_tui.lab import prints
from khib_tui.lab.guest.prints import Copy, Seen
from khib_tui.lab.guest.stacks import LARGE_LOG
from khib_tui.model.units import KIB, MIB
from tests.kit.lab_kit import options

QUIET, NOTICED = Seen("xfs", "LVM", "untouched", 0, False), Seen("xfs", "LVM", "mounted rw", 3, True)
MISSED, FALSE = Seen("xfs", "LVM", "mounted ro", 1, False), Seen("xfs", "LVM", "untouched", 0, True)


@pytest.mark.parametrize(
    ("seen", "cells", "code", "words"),
    [
        ([QUIET, NOTICED], 1, Exit.OK, "1 of 1 cells, 2 deeds, 0 missed, 0 false"),
        ([QUIET, MISSED], 1, Exit.ERROR, "1 missed, 0 false"),
        ([FALSE, NOTICED], 1, Exit.ERROR, "0 missed, 1 false"),
        ([QUIET, NOTICED], 2, Exit.ERROR, "1 of 2 cells"),
    ],
)
def test_a_deed_that_is_judged_wrongly_and_a_cell_that_is_not_played_are_errors(
    seen: list[Seen], cells: int, code: int, words: str
) -> None:
    said: list[Event] = []
    assert prints.told(seen, cells, said.append) == code
    (result,) = said
    assert isinstance(result, Result) and words in result.text and result.ok is (code == Exit.OK)


def test_rows_say_what_was_judged_wrongly() -> None:
    assert [prints.line(item).split()[-1] for item in (QUIET, NOTICED, MISSED, FALSE)] == [
        "noticed",
        "noticed",
        "MISSED",
        "FALSE",
    ]


def test_all_cells_are_played_unless_some_are_asked_for() -> None:
    every = prints.cells(options(kinds=None, stacks=None))
    assert {"ext4", "xfs", "btrfs", "f2fs", "vfat", "swap"} <= {kind for kind, _ in every}
    assert {"plain", "LVM", "LUKS", "LUKS+LVM", "md"} <= {stack for _, stack in every}
    assert [stack for kind, stack in every if kind == LARGE_LOG] == ["plain", "LUKS+LVM"]
    assert prints.cells(options(kinds=["vfat"], stacks=["md", "LVM"])) == [("vfat", "md"), ("vfat", "LVM")]


def test_every_byte_is_compared_and_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("khib_tui.lab.guest.prints._forget", lambda part: None)
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(2 * MIB) + b"x" * (100 * KIB))
    before = disk.read_bytes()
    copy = Copy.of([str(disk)])
    assert list(copy.differences()) == []
    with disk.open("r+b") as stream:
        for at in (0, MIB + 1, 2 * MIB + 99 * KIB):
            stream.seek(at)
            stream.write(b"!")
    assert [at for _, at, _ in copy.differences()] == [0, MIB, 2 * MIB + 64 * KIB]
    copy.put_back()
    assert disk.read_bytes() == before


@pytest.mark.lab
@pytest.mark.long
def test_some_cells_in_the_machine() -> None:
    said: list[Event] = []
    assert prints.matrix(options(kinds=["ext4", "swap"], stacks=["LUKS+LVM", "md"]), said.append) == Exit.OK
    (rows,) = [item.data["rows"] for item in said if isinstance(item, Result)]
    assert {(row["kind"], row["stack"]) for row in rows} == {
        (kind, stack) for kind in ("ext4", "swap") for stack in ("LUKS+LVM", "md")
    }
    assert any(row["changed"] for row in rows) and not all(row["changed"] for row in rows)
