"""A machine that says nothing: it is nudged if all of it waits, and given more time if it works."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from khib_tui.errors import CommandFailed
from khib_tui.lab import monitor, vm
from khib_tui.lab.vm import Vm

WAITS = "CPU#0 RIP=ffffffff81000000 HLT=1 CPU#1 RIP=ffffffff81000000 HLT=1"
WORKS = WAITS.replace("HLT=1", "HLT=0", 1)


class Silent:
    """A machine whose processors are somewhere; a nudge of a kind wakes it."""

    def __init__(self, patch: pytest.MonkeyPatch, directory: Path) -> None:
        ours, self.guest = socket.socketpair()
        self.machine = Vm(None, ours, None, 0.0, directory)
        self.where, self.wakes, self.nudges = WAITS, "", list[str]()
        patch.setattr(monitor, "processors", lambda _: self.where)
        patch.setattr(monitor, "nudge", self.nudge)
        patch.setattr(vm, "NUDGE", 0.05)

    def nudge(self, _: Path, way: str) -> None:
        self.nudges.append(way)
        if way == self.wakes:
            self.guest.sendall(b"awake\n")

    def heard(self, seconds: float) -> bytes:
        return next(self.machine.lines(seconds))


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Silent]:
    made = Silent(monkeypatch, tmp_path)
    yield made
    made.machine.line.close()
    made.guest.close()


@pytest.mark.parametrize("way", monitor.NUDGES)
def test_one_that_waits_is_nudged_until_it_goes_on_and_how_is_told(silent: Silent, way: str) -> None:
    silent.wakes = way
    assert silent.heard(5) == b"awake"
    assert silent.nudges == list(monitor.NUDGES[: monitor.NUDGES.index(way) + 1])
    assert len(silent.machine.nudges) == 1 and way in silent.machine.nudges[0] and WAITS in silent.machine.nudges[0]


def test_one_that_nothing_wakes_is_given_up_in_time(silent: Silent) -> None:
    began = time.monotonic()
    with pytest.raises(CommandFailed, match="HLT=1") as caught:
        silent.heard(0.3)
    assert caught.value.ident == "HIB-E-LAB-SILENT" and time.monotonic() - began < 0.3 * vm.BUSY
    assert len(silent.nudges) > 2 and not silent.machine.nudges


def test_one_that_works_is_left_alone_and_has_more_time(silent: Silent) -> None:
    silent.where = WORKS
    began = time.monotonic()
    with pytest.raises(CommandFailed):
        silent.heard(0.3)
    assert not silent.nudges and time.monotonic() - began >= 0.3 * vm.BUSY


def test_one_that_does_not_power_off_is_nudged_too(silent: Silent) -> None:
    class Process:
        returncode = 0

        def poll(self) -> int | None:
            return 0 if silent.nudges[1:] else None

    silent.machine.process = Process()
    assert silent.machine.wait(5) == 0 and silent.nudges == list(monitor.NUDGES)
    silent.nudges, silent.where = [], WORKS
    with pytest.raises(CommandFailed, match="power off in 0 s; CPU#0"):
        silent.machine.wait(0.2)
    assert not silent.nudges


def test_stopped_and_started_by_the_monitor_it_sees_nothing_of_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str] = []
    ask: Callable[..., None] = lambda _, command: asked.append(command)  # noqa: E731
    monkeypatch.setattr(monitor, "ask", ask)
    monitor.nudge(tmp_path, monitor.NUDGES[0])
    assert asked == ["stop", "cont"]


@pytest.mark.parametrize(
    ("places", "waits"), [(WAITS, True), (WORKS, False), ("the monitor does not answer: x", False), ("", False)]
)
def test_what_the_monitor_says_is_understood(places: str, waits: bool) -> None:
    assert monitor.all_wait(places) is waits
