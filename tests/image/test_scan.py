"""The runs of a payload: they cover what is saved, and are not too many."""

from __future__ import annotations

import pytest

from khib_tui.image import scan
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import PAGE


def content_of(*spans: tuple[int, int]) -> scan.Content:
    content = scan.Content()
    for first, last in spans:
        content.add(first * PAGE, last * PAGE)
    return content


def test_runs_cover_exactly_what_is_not_left_out() -> None:
    saved = Ranges.of([(0, 64 * PAGE), (80 * PAGE, 90 * PAGE)])
    absent = Ranges.of([(10 * PAGE, 12 * PAGE), (62 * PAGE, 64 * PAGE), (80 * PAGE, 81 * PAGE)])
    made = scan.runs(saved, absent, content_of((2, 4), (6, 10), (40, 41)))
    assert Ranges.of((run.start, run.start + run.memsz) for run in made) == saved - absent
    assert [(run.start // PAGE, run.filesz // PAGE) for run in made if run.filesz] == [(2, 2), (6, 4), (40, 1)]


def test_too_many_runs_are_made_fewer_by_filling_the_shortest_holes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "MAX_RUNS", 2)
    monkeypatch.setattr(scan, "MAX_LEFT_OUT", 1)
    saved = Ranges.of([(0, 30 * PAGE), (31 * PAGE, 100 * PAGE)])
    absent = Ranges.of([(3 * PAGE, 4 * PAGE), (50 * PAGE, 52 * PAGE), (60 * PAGE, 90 * PAGE)])
    made = scan.runs(saved, absent, content_of((1, 3), (5, 30), (31, 32), (45, 50)))
    assert sum(run.filesz for run in made) == (29 + 1 + 5) * PAGE, "the hole in what is saved is not filled"
    assert Ranges.of((run.start, run.start + run.memsz) for run in made) == saved - Ranges.of([(60 * PAGE, 90 * PAGE)])
