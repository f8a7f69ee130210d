"""A run on the screen: its steps, its end, and what it says when it fails."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urwid

from khib_tui.decide.choice import decide
from khib_tui.errors import CommandFailed, Exit
from khib_tui.handover.handover import Mode
from khib_tui.handover.report import Outcome, Report
from khib_tui.linux import ending
from khib_tui.plan import build
from khib_tui.plan import step as steps
from screens.wizard.app import Wizard
from screens.wizard.result import ResultPage
from screens.wizard.run import RunPage
from screens.wizard.start import run_wizard
from tests.kit.fakekernel import FakeKernel
from tests.kit.screens_kit import (
    DrivenScreen,
    make,
    press,
    set_up,
    shown,
)


@dataclass(frozen=True)
class Fake:
    """A step that only takes a moment, or fails."""

    text: str
    error: Exception | None = None
    report: Report | None = None

    def describe(self) -> str:
        return self.text

    def apply(self, context: steps.Context) -> None:
        time.sleep(0.02)
        if self.error:
            raise self.error
        context.report = self.report or context.report


def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, actions: list[Fake], mode: Mode | None = Mode.SAVE) -> Wizard:
    """Run steps through the real loop, up to the result page."""
    monkeypatch.setattr(build, "journey", lambda *_, **__: actions)
    monkeypatch.setattr(build, "setup", lambda *_: actions)
    set_up(tmp_path)
    wizard = make(tmp_path, target="/dev/vdb1")
    arrived = wizard.arrived

    def end(*given: Any) -> None:
        arrived(*given)
        wizard.window.loop.draw_screen()
        raise urwid.ExitMainLoop

    monkeypatch.setattr(wizard, "arrived", end)
    wizard.home()
    wizard.window.loop.set_alarm_in(0, lambda *_: wizard.travel(mode) if mode is not Mode.SAVE else hibernate(wizard))
    wizard.window.run()
    return wizard


def hibernate(wizard: Wizard) -> None:
    from khib_tui.plan.task import Task

    wizard.run(Task(decide(wizard.machine, wizard.settings), Mode.SAVE, wizard.path))


RESUMED = Report(Outcome.RESUMED, "back", image_bytes=3 << 30, memory_bytes=9 << 30, save_seconds=21, restore_seconds=17)


def test_a_run_marks_its_steps_and_ends_with_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wizard = play(tmp_path, monkeypatch, [Fake("load it"), Fake("jump", report=RESUMED), Fake("unload it")])
    screen = wizard.window.loop.screen
    assert isinstance(screen, DrivenScreen)
    under_way = [text for text in screen.seen if "[done] load it" in text and "[ .. ] jump" in text]
    assert under_way and "[    ] unload it" in under_way[0] and "Hibernating" in under_way[0]
    assert isinstance(wizard.window.page, ResultPage)
    assert "resumed: yes  image 3.0 GiB of 9.0 GiB" in screen.shown and wizard.window.code == 0
    assert screen.clears >= 3, "after each step the screen must be drawn anew: another kernel may have used it"


def test_a_failed_step_is_marked_and_its_hint_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error = CommandFailed("the kernel could not jump", hint="close what uses the GPU", ident="HIB-E-JUMP")
    wizard = play(tmp_path, monkeypatch, [Fake("load it"), Fake("jump", error)])
    screen = wizard.window.loop.screen
    assert isinstance(screen, DrivenScreen)
    assert any("[FAIL] jump" in text for text in screen.seen)
    text = screen.shown
    assert "the kernel could not jump [HIB-E-JUMP]" in text and "-> close what uses the GPU" in text
    assert "< Try again >" in text and wizard.window.code == Exit.UNCHANGED


def test_a_cancelled_run_says_that_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = Report(Outcome.CANCELLED, "you stopped it")
    wizard = play(tmp_path, monkeypatch, [Fake("jump", report=report)])
    text = shown(wizard.window)
    assert "cancelled: you stopped it" in text and "Nothing is lost" in text and wizard.window.code == Exit.CANCELLED


def test_setting_up_ends_with_the_way_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wizard = play(tmp_path, monkeypatch, [Fake("keep it")], mode=None)
    text = shown(wizard.window)
    assert "Rehearse before you rely on it" in text and "< Rehearse" in text


def test_a_defect_in_a_step_is_told_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wizard = play(tmp_path, monkeypatch, [Fake("break", ZeroDivisionError("oh"))])
    assert "a defect of khib: ZeroDivisionError: oh" in shown(wizard.window) and wizard.window.code == Exit.ERROR


def test_a_run_cannot_be_left_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from khib_tui.plan.task import Task

    monkeypatch.setattr(build, "journey", lambda *_, **__: [Fake("jump")])
    wizard = make(tmp_path, target="/dev/vdb1")
    wizard.window.show(RunPage(wizard, Task(decide(wizard.machine, wizard.settings), Mode.SAVE, wizard.path)))
    for key in ("esc", "f10", "ctrl c"):
        assert "cannot be stopped here" in press(wizard.window, key)
    assert isinstance(wizard.window.page, RunPage)


@dataclass(frozen=True)
class Load:
    """A step that loads something, and is not done before somebody wants to end."""

    began: threading.Event
    asked: threading.Event

    def describe(self) -> str:
        return "load"

    def apply(self, context: steps.Context) -> None:
        context.loaded = True
        self.began.set()
        self.asked.wait(30)


def test_a_signal_ends_the_wizard_when_its_steps_are_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kernel = FakeKernel(monkeypatch)
    began, asked = threading.Event(), threading.Event()
    monkeypatch.setattr(build, "journey", lambda *_, **__: [Load(began, asked), Fake("jump", AssertionError())])

    def ended(self: Wizard) -> None:
        """Stands for the loop, in which a signal arrives while the step is done."""
        hibernate(self)
        page = self.window.page
        assert isinstance(page, RunPage)
        page.thread.start()
        began.wait(30)
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(30)
        finally:
            threading.Timer(0.2, asked.set).start()

    monkeypatch.setattr(Wizard, "begin", lambda self: monkeypatch.setattr(self.window, "run", lambda: ended(self)))
    set_up(tmp_path)
    facts_, kept = make(tmp_path, target="/dev/vdb1").machine, make(tmp_path, target="/dev/vdb1").settings
    with ending.armed(), pytest.raises(ending.Ended):
        run_wizard(facts_, kept, tmp_path / "khib.toml", reread=lambda: facts_, screen=DrivenScreen())
    assert kernel.calls == ["unload"] and "the saver was unloaded" in capsys.readouterr().out
