"""PID 1 of B, with real children: A is back, or the machine is off, whatever ends the one that saves."""

from __future__ import annotations

import faulthandler
import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from khib_tui.handover import handover as handovers
from khib_tui.handover.handover import Mode
from khib_tui.handover.report import Outcome, Report
from khib_tui.image import header as headers
from khib_tui.image.header import State
from khib_tui.image.store import Store
from khib_tui.linux import child
from khib_tui.saver import base, supervise
from khib_tui.saver.fate import Byte, Fate
from tests.kit.tiny import BackInA, PowerOff, Tiny


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tiny:
    made = Tiny(tmp_path)
    made.patch(monkeypatch)
    monkeypatch.setattr(supervise, "apart", child.apart)
    monkeypatch.setattr(handovers, "receive", lambda *_: made.handover(Mode.SAVE))
    made.loaded = True
    return made


def dies(byte: Byte, fate: Fate, number: int) -> None:
    faulthandler.disable()  # of the tests
    byte.set(fate)
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM, signal.SIGBUS, signal.SIGXCPU])
def test_a_saver_that_a_signal_ends_is_reported_in_a(tiny: Tiny, number: signal.Signals) -> None:
    byte = Byte()
    with pytest.raises(BackInA):
        supervise.supervise(byte, partial(dies, byte, Fate.RUNS_ON, number))
    report = tiny.report()
    assert report is not None and report.outcome is Outcome.FAILED and report.ident == "HIB-E-SAVER-DIED"
    assert number.name in report.text and "--region" in report.hint


def leave_slots(tiny: Tiny, *states: State) -> None:
    """Put what a saver had written when it died."""
    with Store(tiny.image, writable=True) as store:
        for generation, (offset, state) in enumerate(zip(headers.SLOTS, states, strict=True), 1):
            store.write(offset, headers.pack(headers.Header("ab" * 16, state, 3 - generation)))


@pytest.mark.parametrize(
    ("states", "end", "left"),
    [
        ((State.PARTIAL, State.PARTIAL), BackInA, State.ABANDONED),
        ((State.COMPLETE, State.PARTIAL), BackInA, State.ABANDONED),
        ((State.COMPLETE, State.COMPLETE), PowerOff, State.COMPLETE),
    ],
)
def test_an_image_whose_saver_died_while_it_became_complete_is_given_up_or_it_is_whole(
    tiny: Tiny, states: tuple[State, State], end: type[BaseException], left: State
) -> None:
    leave_slots(tiny, *states)
    byte = Byte()
    with pytest.raises(end):
        supervise.supervise(byte, partial(dies, byte, Fate.UNSETTLED, signal.SIGKILL))
    assert tiny.states() == [left] * 2


def test_where_nobody_can_tell_the_system_sleeps(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_slots(tiny, State.COMPLETE, State.PARTIAL)

    def unreadable(*_: object) -> None:
        raise OSError(5, "Input/output error")

    byte = Byte()
    monkeypatch.setattr(os, "preadv", unreadable)
    with pytest.raises(PowerOff):
        supervise.supervise(byte, partial(dies, byte, Fate.UNSETTLED, signal.SIGKILL))


def test_a_place_that_is_gone_for_a_while_is_asked_again(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_slots(tiny, State.COMPLETE, State.PARTIAL)
    gone, real = [True], os.preadv

    def read(*words: Any) -> int:
        if gone:
            raise OSError(19, "No such device")
        return real(*words)

    byte = Byte()
    monkeypatch.setattr(os, "preadv", read)
    monkeypatch.setattr(supervise, "time", SimpleNamespace(sleep=lambda _: gone.clear()))
    with pytest.raises(BackInA):
        supervise.supervise(byte, partial(dies, byte, Fate.UNSETTLED, signal.SIGKILL))
    assert byte.now is Fate.RUNS_ON


@pytest.mark.parametrize("work", [partial(os._exit, 0), partial(os._exit, 9)])
def test_once_the_image_is_complete_nothing_goes_back(tiny: Tiny, work: Callable[[], None]) -> None:
    byte = Byte()
    byte.set(Fate.SLEEPS)
    with pytest.raises(PowerOff):
        supervise.supervise(byte, work)


def test_a_system_that_was_written_over_is_never_entered(tiny: Tiny) -> None:
    byte = Byte()
    byte.set(Fate.OVERWRITTEN)
    assert "written over" in supervise.supervise(byte, lambda: None)


def test_a_way_back_that_was_not_loaded_is_loaded_then(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.loaded = False
    tries: list[int] = []

    def loads(work: Callable[[], None]) -> int:
        tries.append(1)
        work()
        return 0

    monkeypatch.setattr(supervise, "apart", loads)  # a child's load would be forgotten with it
    with pytest.raises(BackInA):
        supervise.supervise(Byte(), lambda: None)
    assert tiny.loaded


def test_where_no_child_can_be_had_the_way_back_is_gone_without_a_report(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: object) -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(supervise, "apart", refused)
    with pytest.raises(BackInA):
        supervise.supervise(Byte(), lambda: None)
    assert tiny.report() is None


def test_the_reason_is_told_where_the_jump_is_impossible(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiny, "loaded", False)
    assert supervise.supervise(Byte(), lambda: None) == "nothing is loaded"


def test_a_report_that_is_there_is_left_alone_and_takes_no_further_process(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    byte, started = Byte(), list[int]()

    def counted(work: Callable[[], None]) -> int:
        started.append(1)
        return child.apart(work)

    def work() -> None:
        base.found(tiny.handover(Mode.SAVE), byte).report(Report(Outcome.CANCELLED, "you stopped it"))

    monkeypatch.setattr(supervise, "apart", counted)
    with pytest.raises(BackInA):
        supervise.supervise(byte, work)
    report = tiny.report()
    assert report is not None and report.text == "you stopped it" and len(started) == 1
