"""Long programs of others, followed by what they print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from khib_tui.errors import CommandFailed
from khib_tui.events.follow import follow
from khib_tui.events.types import Event, Message, Progress, StageName

COUNTS = re.compile(r"\s+CC\s")
FIVE = "for i in 1 2 3 4 5; do echo \"  CC      $i.o\"; echo '  LD      x'; done"


def test_the_lines_that_match_are_counted(tmp_path: Path) -> None:
    seen: list[Event] = []
    log = tmp_path / "log"
    count = follow(
        seen.append, StageName.LAB_KERNEL, ["sh", "-c", FIVE], counts=COUNTS, expected=3, unit="objects", log=log
    )  # fmt: skip
    last = seen[-1]
    assert isinstance(last, Progress)
    assert (count, last.done, last.total, last.unit) == (5, 5, 5, "objects")
    assert len(log.read_text().splitlines()) == 10


def test_a_run_that_goes_on_counts_what_was_done_and_keeps_the_log(tmp_path: Path) -> None:
    seen: list[Event] = []
    log = tmp_path / "log"
    log.write_text("of before\n")
    count = follow(
        seen.append, StageName.KERNEL, ["sh", "-c", FIVE], counts=COUNTS, expected=100, unit="objects", log=log, before=90,
        notes=re.compile(r"\s+LD\s"),
    )  # fmt: skip
    first = next(event for event in seen if isinstance(event, Progress))
    assert count == 95 and first.done == 91 and first.total == 100
    assert first.rate * first.elapsed == pytest.approx(1), "what was done before has no part in the rate"
    assert log.read_text().startswith("of before\n  CC") and Message("LD x") in seen


def test_the_complaint_and_the_log_are_named(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"code 2: x\.c:1: error: odd") as caught:
        follow(
            lambda event: None, StageName.LAB_KERNEL, ["sh", "-c", "echo x.c:1: error: odd; echo bye; exit 2"],
            counts=COUNTS, expected=9, unit="objects", log=tmp_path / "log",
        )  # fmt: skip
    assert str(tmp_path / "log") in str(caught.value.hint)
