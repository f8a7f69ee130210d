"""The screen of B and C while they work: it stops them, and never lets go of the work."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import urwid

from khib_tui.errors import Cancelled, CommandFailed, ImageError
from khib_tui.events.progress import Stop
from khib_tui.events.types import Event, Message, Progress, Sink, Stage, StageName, Status
from screens.progress import page as stage
from screens.progress.page import run_stage
from tests.kit.screens_kit import DrivenScreen

GIB = 1 << 30


def nowhere(_: Event) -> None:
    """Take events to nobody."""


def test_the_result_is_given_and_events_reach_the_other_sink() -> None:
    events: list[Event] = []

    def work(sink: Sink, stop: Stop) -> int:
        sink(Message("one"))
        return 7

    assert run_stage("Hibernating", work, events.append, screen=DrivenScreen()) == 7
    assert events == [Message("one")]


def test_the_exception_of_the_work_is_raised_in_the_callers_thread() -> None:
    def work(sink: Sink, stop: Stop) -> None:
        raise ImageError("broken", ident="HIB-E-X")

    with pytest.raises(ImageError, match="broken"):
        run_stage("Hibernating", work, nowhere, screen=DrivenScreen())


def test_progress_is_on_the_screen() -> None:
    screen = DrivenScreen()
    drawn = threading.Event()
    screen.script = [("1.0 GiB/s", ["f3"])]

    def work(sink: Sink, stop: Stop) -> None:
        sink(Message("14 disks are write-protected"))
        sink(Stage(StageName.SAVE, Status.STARTED, "to /dev/vdb1"))
        sink(Progress(StageName.SAVE, 3 * GIB, 12 * GIB, 3.0, rate=GIB, eta=9.0))
        wait_for(lambda: not screen.script, drawn)

    run_stage("Hibernating", work, nowhere, screen=screen)
    text = next(text for text in screen.seen if "1.0 GiB/s" in text)
    for fact in ("Hibernating", "[ 25%] saver: write the image (to /dev/vdb1)", "25 %", "3.0 GiB of 12.0 GiB", "9.0 s left",
                 "elapsed", "14 disks are write-protected", "Esc stop and go back"):  # fmt: skip
        assert fact in text


def wait_for(condition: Any, never: threading.Event) -> None:
    """Wait in the work until something is so."""
    for _ in range(400):
        if condition():
            return
        never.wait(0.01)
    raise AssertionError("it never was so")


@pytest.mark.parametrize("key", ["esc", "ctrl c"])
def test_esc_stops_at_once_and_says_so(key: str) -> None:
    screen = DrivenScreen([("Esc stop and go back", [key])])

    def work(sink: Sink, stop: Stop) -> None:
        wait_for(lambda: stop.requested and "stopping..." in screen.shown, threading.Event())
        stop.check()

    with pytest.raises(Cancelled):
        run_stage("Hibernating", work, nowhere, screen=screen)


def test_esc_that_is_too_late_says_so_and_the_work_ends_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "TICK", 60.0)
    screen = DrivenScreen([("Esc stop and go back", ["esc"])])

    def work(sink: Sink, stop: Stop) -> str:
        stop.too_late()
        wait_for(lambda: stop.requested and "too late to stop" in screen.shown, threading.Event())
        assert "Esc" not in screen.last_text[-1], "the footer shows only keys that are valid"
        stop.check()
        return "complete"

    assert run_stage("Hibernating", work, nowhere, screen=screen) == "complete"


def test_help_leaves_the_work_alone() -> None:
    screen = DrivenScreen([("Esc stop and go back", ["f1"]), ("+ Help", ["esc"]), ("Esc stop", ["f3"])])

    def work(sink: Sink, stop: Stop) -> bool:
        wait_for(lambda: not screen.script, threading.Event())
        return stop.requested

    assert run_stage("Hibernating", work, nowhere, screen=screen) is False


class Broken(DrivenScreen):
    """A terminal that goes away."""

    def draw_screen(self, size: tuple[int, int], canvas: urwid.Canvas) -> None:
        raise OSError(5, "Input/output error")


def test_a_screen_that_fails_does_not_let_go_of_the_work() -> None:
    ended: list[float] = []
    events: list[Event] = []

    def work(sink: Sink, stop: Stop) -> str:
        time.sleep(0.2)
        ended.append(time.monotonic())
        return "saved"

    assert run_stage("Hibernating", work, events.append, screen=Broken()) == "saved"
    assert ended, "the caller must not go on while the work still does"
    assert any(isinstance(event, Message) and "screen failed" in event.text for event in events)


def test_ctrl_c_as_a_signal_asks_the_work_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stage, "_watch", interrupted)

    def work(sink: Sink, stop: Stop) -> None:
        wait_for(lambda: stop.requested, threading.Event())
        stop.check()

    with pytest.raises(Cancelled):
        run_stage("Hibernating", work, nowhere, screen=DrivenScreen())


@pytest.mark.parametrize("room", [(40, 10), (20, 5), (1, 1)])
def test_small_screens_do_no_harm(room: tuple[int, int]) -> None:
    def work(sink: Sink, stop: Stop) -> int:
        sink(Stage(StageName.SAVE, Status.STARTED, "to somewhere"))
        sink(Progress(StageName.SAVE, 1, 2, 3.0, rate=1.0, eta=1.0))
        time.sleep(0.05)
        return 1

    assert run_stage("Hibernating", work, nowhere, screen=DrivenScreen(size=room)) == 1


def test_a_thread_that_cannot_start_is_the_error_of_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    real = threading.Thread.start

    def start(self: threading.Thread) -> None:
        if self.name == "khib work":
            raise RuntimeError("can't start new thread")
        real(self)

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(RuntimeError, match="can't start"):
        run_stage("Hibernating", lambda sink, stop: 1, nowhere, screen=DrivenScreen())


def test_a_thread_that_dies_without_a_word_ends_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "TICK", 0.01)
    monkeypatch.setattr(stage.Job, "_run", lambda self: None)
    with pytest.raises(CommandFailed, match="has died"):
        run_stage("Hibernating", lambda sink, stop: 1, nowhere, screen=DrivenScreen())


def test_the_work_is_not_let_go_of_when_screen_and_events_device_fail_together() -> None:
    def broken(event: Event) -> None:
        raise OSError(5, "Input/output error")

    def work(sink: Sink, stop: Stop) -> str:
        sink(Message("one"))
        time.sleep(0.2)
        ended.append(1)
        return "saved"

    ended: list[int] = []
    assert run_stage("Hibernating", work, broken, screen=Broken()) == "saved"
    assert ended
