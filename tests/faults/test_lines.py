"""No memory at each line that a tiny save executes: B always ends in A without an image, or powered off with one."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from khib_tui.handover.handover import Mode
from khib_tui.image.header import State
from tests.kit import ROOT
from tests.kit.tiny import End, Tiny

Line = tuple[str, int]
PROGRAM = str(ROOT / "khib_tui")
# PID 1 itself: it is as small as can be, so that it is none of those who run out of memory.
SPARED = ("supervise.py", "child.py", "fate.py")


class Tracer:
    """Raises MemoryError when a line is executed for the first time, in whatever thread."""

    def __init__(self, victim: Line | None) -> None:
        self.victim = victim
        self.seen: dict[Line, None] = {}

    def __call__(self, frame: FrameType, event: str, _: Any) -> Any:
        name = frame.f_code.co_filename
        return self.line if name.startswith(PROGRAM) and not name.endswith(SPARED) else None

    def line(self, frame: FrameType, event: str, _: Any) -> Any:
        """Look at a line."""
        here = (frame.f_code.co_filename, frame.f_lineno)
        if event == "line" and here not in self.seen:
            self.seen[here] = None
            if here == self.victim:
                raise MemoryError
        return self.line

    def during(self, work: Callable[[], Any]) -> Any:
        """Do some work under this tracer."""
        before = sys.gettrace()
        threading.settrace(self)
        sys.settrace(self)
        try:
            return work()
        finally:
            sys.settrace(before)
            threading.settrace(before)

    def run(self, tiny: Tiny, mode: Mode) -> End:
        """Run B under this tracer."""
        tiny.guarded = self.during
        return tiny.b(mode)


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tiny:
    made = Tiny(tmp_path)
    made.patch(monkeypatch)
    # a thread that dies of this says so, as it should
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    return made


def lines_that_end_badly(tiny: Tiny, mode: Mode, step: int) -> tuple[Counter[End], list[str]]:
    """Run B without memory at every `step`-th line; give the ends, and what went wrong."""
    first = Tracer(None)
    first.run(tiny, mode)
    ends, wrong = Counter[End](), []
    for victim in list(first.seen)[::step]:
        tiny.fresh()
        end = Tracer(victim).run(tiny, mode)
        ends[end] += 1
        complete = State.COMPLETE in tiny.states()
        fine = (end is End.BACK and not complete) or (end is End.OFF and tiny.resumable(mend=True))
        if not fine:
            wrong.append(f"{Path(victim[0]).name}:{victim[1]}: {end}, {tiny.states()}")
    return ends, wrong


@pytest.mark.parametrize(
    ("mode", "step"),
    [(Mode.SAVE, 5), (Mode.REHEARSE_SAVE, 20)]
    + [pytest.param(mode, 1, marks=pytest.mark.long) for mode in (Mode.SAVE, Mode.REHEARSE_SAVE)],
)
def test_without_memory_at_any_line_the_system_is_back_or_its_image_is_complete(
    tiny: Tiny, mode: Mode, step: int, capsys: pytest.CaptureFixture[str]
) -> None:
    ends, wrong = lines_that_end_badly(tiny, mode, step)
    told = ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))
    with capsys.disabled():
        print(f"\n{mode}: no memory at {sum(ends.values())} lines: {told}")
    assert sum(ends.values()) > 10
    assert wrong == []
