"""Steps are applied in order; a failure is told as one before or after a change, and what is loaded is given back."""

from __future__ import annotations

import errno
import os
import signal
from dataclasses import dataclass

import pytest

from khib_tui.errors import Cancelled, CommandFailed, Exit, FailedAfterChange, KhibError, Refused
from khib_tui.events.types import Event, Message, Status, Step
from khib_tui.plan.execute import execute
from khib_tui.plan.step import Context
from tests.kit.fakekernel import FakeKernel


@dataclass(frozen=True)
class Fake:
    """A step that changes something, loads something, or fails."""

    text: str
    changes: bool = False
    loads: bool = False
    error: BaseException | None = None

    def describe(self) -> str:
        return self.text

    def apply(self, context: Context) -> None:
        context.changed |= self.changes
        context.loaded |= self.loads
        if self.error:
            raise self.error


LOST = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/boot/khib")


@pytest.fixture
def told() -> list[Event]:
    """What was told."""
    return []


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> FakeKernel:
    """The kernel, which notes what is asked of it."""
    return FakeKernel(monkeypatch)


def lines(told: list[Event]) -> list[tuple[str, str]]:
    return [(event.text, str(event.status)) for event in told if isinstance(event, Step)]


def test_each_step_is_told_before_and_after_it(told: list[Event]) -> None:
    execute([Fake("one"), Fake("two")], Context(told.append), told.append)
    assert lines(told) == [("one", "started"), ("one", "done"), ("two", "started"), ("two", "done")]


def test_nothing_is_done_after_a_failure(told: list[Event]) -> None:
    with pytest.raises(Refused):
        execute([Fake("one", error=Refused("no")), Fake("two")], Context(told.append), told.append)
    assert lines(told) == [("one", "started"), ("one", str(Status.FAILED))]


@pytest.mark.parametrize(
    ("first", "error", "kind", "code"),
    [
        (Fake("look"), CommandFailed("no", hint="h", ident="HIB-E-X"), CommandFailed, Exit.UNCHANGED),
        (Fake("write", changes=True), CommandFailed("no", hint="h", ident="HIB-E-X"), FailedAfterChange, Exit.CHANGED),
        (Fake("look"), LOST, CommandFailed, Exit.UNCHANGED),
        (Fake("write", changes=True), LOST, FailedAfterChange, Exit.CHANGED),
        (Fake("write", changes=True), Cancelled("you stopped it"), Cancelled, Exit.CANCELLED),
        (Fake("look"), Refused("no"), Refused, Exit.REFUSED),
    ],
)
def test_a_failure_says_whether_something_was_changed(
    told: list[Event], first: Fake, error: Exception, kind: type[KhibError], code: int
) -> None:
    with pytest.raises(kind) as caught:
        execute([first, Fake("fail", error=error)], Context(told.append), told.append)
    assert type(caught.value) is kind and caught.value.exit_code == code
    if isinstance(error, KhibError):
        assert (caught.value.message, caught.value.hint, caught.value.ident) == (error.message, error.hint, error.ident)
    else:
        assert "/boot/khib" in caught.value.message


def test_a_step_that_fails_after_its_own_change_counts_as_changed(told: list[Event]) -> None:
    with pytest.raises(FailedAfterChange):
        execute([Fake("write half", changes=True, error=LOST)], Context(told.append), told.append)


@pytest.mark.parametrize("error", [Refused("no"), ZeroDivisionError("a defect"), KeyboardInterrupt()])
def test_a_loaded_saver_is_given_back_whatever_fails(
    told: list[Event], monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    kernel = FakeKernel(monkeypatch)
    context = Context(told.append)
    with pytest.raises(type(error)):
        execute([Fake("load", loads=True), Fake("fail", error=error)], context, told.append)
    assert kernel.calls == ["unload"] and not context.loaded


WHEN = {"loading": ("load", "done"), "writing": ("write", "started")}


@pytest.mark.parametrize("moment", WHEN)
def test_ctrl_c_at_any_moment_after_loading_unloads_and_says_so(told: list[Event], kernel: FakeKernel, moment: str) -> None:
    def sink(event: Event) -> None:
        told.append(event)
        if isinstance(event, Step) and (event.text, event.status) == WHEN[moment]:
            raise KeyboardInterrupt

    context = Context(told.append)
    with pytest.raises(KeyboardInterrupt):
        execute([Fake("load", loads=True), Fake("write")], context, sink)
    assert kernel.calls == ["unload"] and not context.loaded
    assert [event.text for event in told if isinstance(event, Message)] == [
        "the saver was unloaded; this session goes on as it was"
    ]


def test_a_second_ctrl_c_does_not_reach_the_unloading(told: list[Event], kernel: FakeKernel) -> None:
    def sink(event: Event) -> None:
        if isinstance(event, Message):
            told.append(event)
            assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())

    with pytest.raises(KeyboardInterrupt):
        execute([Fake("load", loads=True, error=KeyboardInterrupt())], Context(sink), sink)
    assert len(told) == 1 and signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
