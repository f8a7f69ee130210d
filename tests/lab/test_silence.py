"""A machine that says nothing: it is nudged if all of it waits, and given more time if it works."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from khib_tui.errors import CommandFailed
from khib_tui.lab import monitor, vm
from khib_tui.lab.vm import Vm
from tests.kit.faketree import tree

WAITS = "CPU#0 RIP=ffffffff81000000 HLT=1 CPU#1 RIP=ffffffff81000000 HLT=1"
WORKS = WAITS.replace("HLT=1", "HLT=0", 1)


class Process:
    """What runs the machine, until it was nudged twice."""

    pid, returncode = 1, 0

    def __init__(self, of: Silent) -> None:
        self.of = of

    def poll(self) -> int | None:
        return 0 if self.of.nudges[1:] else None


class Silent:
    """A machine whose processors are somewhere; a nudge of a kind wakes it."""

    def __init__(self, patch: pytest.MonkeyPatch, directory: Path) -> None:
        ours, self.guest = socket.socketpair()
        self.machine = Vm(Process(self), ours, None, 0.0, directory)
        self.where, self.wakes, self.nudges, self.disk = WAITS, "", list[str](), False
        self.looks, self.works_at = 0, 0
        patch.setattr(monitor, "processors", self.processors)
        patch.setattr(monitor, "nudge", self.nudge)
        patch.setattr(monitor, "waits_for_disk", lambda _: self.disk)
        patch.setattr(vm, "NUDGE", 0.05)
        patch.setattr(vm, "BETWEEN", 0.0)

    def processors(self, _: Path) -> str:
        self.looks += 1
        return WORKS if self.looks == self.works_at else self.where

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
    [told] = silent.machine.nudges
    assert way in told and WAITS in told and re.search(r"it went on 0\.\d s later$", told)


def test_one_that_nothing_wakes_is_given_up_in_time(silent: Silent) -> None:
    began = time.monotonic()
    with pytest.raises(CommandFailed, match="HLT=1") as caught:
        silent.heard(0.3)
    assert caught.value.ident == "HIB-E-LAB-SILENT" and time.monotonic() - began < 0.3 * vm.BUSY
    assert len(silent.nudges) > 2 and not silent.machine.nudges


@pytest.mark.parametrize(("where", "disk"), [(WORKS, False), (WAITS, True)])
def test_one_that_works_or_waits_for_the_host_is_left_alone_and_has_more_time(silent: Silent, where: str, disk: bool) -> None:
    silent.where, silent.disk = where, disk
    began = time.monotonic()
    with pytest.raises(CommandFailed):
        silent.heard(0.3)
    assert not silent.nudges and time.monotonic() - began >= 0.3 * vm.BUSY


def test_one_that_works_at_any_look_is_not_nudged(silent: Silent) -> None:
    silent.works_at = vm.LOOKS
    assert silent.machine.nudge(again=False) == "" and not silent.nudges
    assert silent.machine.nudge(again=False) and silent.nudges


def test_one_that_does_not_power_off_is_nudged_too(silent: Silent) -> None:
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


@pytest.mark.parametrize(("states", "waits"), [("SR", False), ("SD", True), ("", False)])
def test_a_thread_that_waits_for_the_host_s_disk_is_seen(tmp_path: Path, states: str, waits: bool) -> None:
    tree(tmp_path, {f"7/task/{number}/stat": f"{number} (qemu (x) D) {state} 1 2 3\n" for number, state in enumerate(states)})
    assert monitor.waits_for_disk(7, tmp_path) is waits
