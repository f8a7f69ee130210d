"""A real process on a kernel that is none: whatever signal ends its journey before the jump, nothing stays loaded."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from khib_tui import cli
from khib_tui.events.types import Event, Failure, Message, Sink, Step, decode
from khib_tui.handover.handover import Mode
from khib_tui.linux import ending
from khib_tui.plan import echo, hibernate
from khib_tui.plan.execute import execute
from khib_tui.plan.step import Action, Context
from tests.kit.fakekernel import FakeKernel
from tests.plan.conftest import MakeChoice
from tests.plan.test_hibernate import installed
from tests.plan.test_hibernate import kernel as kernel

UNLOADED = "the saver was unloaded; this session goes on as it was"
COMMON = [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGALRM, signal.SIGRTMIN + 3]
PATIENCE = 30.0


@dataclass(frozen=True)
class Wait:
    """A step that lasts until somebody ends it; it says when it began, by a file."""

    began: Path

    def describe(self) -> str:
        return "wait"

    def apply(self, context: Context) -> None:
        self.began.touch()
        time.sleep(PATIENCE)


class Child:
    """A process that runs steps as `khib` does.

    :param prepare: is done in it before.
    """

    def __init__(self, place: Path, kernel: FakeKernel, steps: list[Action], prepare: Callable[[], object] = int) -> None:
        self.place, self.kernel, self.steps = place, kernel, steps
        self.pid = os.fork()
        if not self.pid:
            for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
                signal.signal(number, signal.SIG_DFL)  # pytest in the background has them ignored
            prepare()
            self._run()

    def _run(self) -> None:
        code = 99
        try:
            with (self.place / "told").open("w") as stream:
                sys.stdout = stream
                cli.function = lambda verb: self._journey
                code = cli.run(Namespace(json=True, debug=False, verb="x"))
            (self.place / "calls").write_text(json.dumps(self.kernel.calls))
        finally:
            os._exit(code)

    def _journey(self, _: Namespace, sink: Sink) -> int:
        execute(self.steps, Context(sink), sink)
        return 0

    def end(self, began: Path, *signals: int) -> int:
        """Wait for the moment, send signals, and return the exit code."""
        until = time.monotonic() + PATIENCE
        while not began.exists() and time.monotonic() < until:
            time.sleep(0.01)
        for number in signals:
            os.kill(self.pid, number)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    @property
    def told(self) -> list[Event]:
        return [decode(line) for line in (self.place / "told").read_text().splitlines()]

    @property
    def calls(self) -> Any:
        return json.loads((self.place / "calls").read_text())


def journey(choice_of: MakeChoice, began: Path, mode: Mode = Mode.SAVE) -> list[Action]:
    """The steps of a journey from the loading on, which waits before its jump."""
    choice = installed(choice_of())
    return [hibernate.LoadSaver(choice, mode), Wait(began), hibernate.Jump(choice, mode), hibernate.Unload()]


def texts(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Message)]


@pytest.mark.parametrize("number", COMMON)
def test_every_signal_before_the_jump_unloads_and_says_so(
    kernel: FakeKernel, choice_of: MakeChoice, tmp_path: Path, number: int
) -> None:
    began = tmp_path / "began"
    child = Child(tmp_path, kernel, journey(choice_of, began))
    assert child.end(began, number) == 128 + number
    assert child.calls[-2:] == ["kexec_load", "unload"] and "reboot" not in child.calls
    assert texts(child.told)[-2:] == [UNLOADED, f"stopped by {ending.name_of(number)}"]
    assert not any(isinstance(event, Failure) for event in child.told)


def test_a_terminal_that_closes_while_a_service_ends_is_one_wish(
    kernel: FakeKernel, choice_of: MakeChoice, tmp_path: Path
) -> None:
    began = tmp_path / "began"
    child = Child(tmp_path, kernel, journey(choice_of, began, Mode.REHEARSE))
    assert child.end(began, signal.SIGTERM, signal.SIGHUP, signal.SIGTERM, signal.SIGINT) > 128
    assert child.calls.count("unload") == 2, "once before the loading"
    assert child.calls[-1] == "unload"


def test_an_echo_is_unloaded_too(kernel: FakeKernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(echo, "load_echo", lambda page, gdt: kernel.calls.append("kexec_load"))
    began = tmp_path / "began"
    child = Child(tmp_path, kernel, [echo.LoadEcho(0x1000), Wait(began), echo.JumpToEcho()])
    assert child.end(began, signal.SIGHUP) == 128 + signal.SIGHUP
    assert child.calls[-2:] == ["kexec_load", "unload"]


def test_what_nohup_ignores_stays_ignored(kernel: FakeKernel, choice_of: MakeChoice, tmp_path: Path) -> None:
    began = tmp_path / "began"
    steps = journey(choice_of, began)
    child = Child(tmp_path, kernel, steps, lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    assert child.end(began, signal.SIGHUP, signal.SIGTERM) == 128 + signal.SIGTERM
    assert child.calls[-1] == "unload"


def test_work_in_another_thread_stops_before_its_next_step(kernel: FakeKernel, choice_of: MakeChoice, tmp_path: Path) -> None:
    """As in the wizard: the signal reaches the main thread, the journey is in another one."""
    told: list[Event] = []
    errors: list[BaseException] = []
    loading, _, *rest = journey(choice_of, tmp_path)
    loaded, asked = threading.Event(), threading.Event()

    def sink(event: Event) -> None:
        told.append(event)
        if isinstance(event, Step) and event.status == "done":
            loaded.set()
            asked.wait(PATIENCE)

    def work() -> None:
        try:
            execute([loading, *rest], Context(sink), sink)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    with ending.armed():
        thread.start()
        with pytest.raises(ending.Ended):
            loaded.wait(PATIENCE)
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(PATIENCE)
        asked.set()
        thread.join(PATIENCE)
    assert [type(error) for error in errors] == [ending.Ended]
    assert kernel.calls[-1] == "unload" and "reboot" not in kernel.calls and UNLOADED in texts(told)


def test_signals_are_as_before_after_a_command() -> None:
    before = {number: signal.getsignal(number) for number in ending.ENDING}
    with ending.armed():
        assert all(signal.getsignal(number) not in (signal.SIG_DFL, signal.default_int_handler) for number in before)
    assert {number: signal.getsignal(number) for number in ending.ENDING} == before
    assert {signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGXCPU} <= ending.ENDING
    assert not {signal.SIGCHLD, signal.SIGWINCH, signal.SIGTSTP, signal.SIGSEGV, signal.SIGPIPE} & ending.ENDING
