"""Threads that work together: how many, in which order, and how they end."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from khib_tui.errors import CommandFailed, ImageError
from khib_tui.image import threads
from khib_tui.image.threads import InOrder, together
from khib_tui.model.units import MIB


@pytest.mark.parametrize(("cpus", "memory", "count"), [(2, 100, 2), (16, 1000, 8), (16, 80, 6), (4, 30, 1), (1, 1000, 1)])
def test_there_are_as_many_threads_as_processors_and_memory_allow(
    monkeypatch: pytest.MonkeyPatch, cpus: int, memory: int, count: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cpus)))
    monkeypatch.setattr(threads, "available", lambda: memory * MIB)
    assert threads.workers() == count


def test_the_available_memory_is_read_or_not_known(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:   2048 kB\n")
    assert threads.available(tmp_path / "meminfo") == 2 * MIB
    assert threads.available(tmp_path / "none") > 1 << 60
    assert MIB < threads.available() < 1 << 60


def test_threads_work_together_and_the_first_failure_ends_all() -> None:
    done: list[int] = []
    together(lambda item: item * item, range(1000), 7, done.append)
    assert sorted(done) == [number**2 for number in range(1000)]
    order = InOrder(done.append, 3)
    done.clear()

    def work(number: int) -> int:
        order.wait(number)
        if number == 50:
            raise ImageError("the fiftieth")
        order.give(number, number)
        return number

    with pytest.raises(ImageError, match="the fiftieth"):
        together(work, range(1000), 7, lambda _: None, order.give_up)
    assert done == list(range(50))


class Dying(threading.Thread):
    """A thread whose n-th one does not begin: its start raises, or it dies before its first word."""

    started_so_far = 0
    victim = 1
    silent = False

    def start(self) -> None:
        type(self).started_so_far += 1
        if self.started_so_far == self.victim and not self.silent:
            raise RuntimeError("can't start new thread")
        if self.started_so_far == self.victim:
            self._target = lambda *_: None  # as if it died before its try
        super().start()


def dying(monkeypatch: pytest.MonkeyPatch, victim: int, *, silent: bool = False) -> None:
    monkeypatch.setattr(Dying, "started_so_far", 0)
    monkeypatch.setattr(Dying, "victim", victim)
    monkeypatch.setattr(Dying, "silent", silent)
    monkeypatch.setattr(threads.threading, "Thread", Dying)  # type: ignore[attr-defined]


def test_with_fewer_threads_than_were_asked_for_all_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    dying(monkeypatch, 3)
    done: list[int] = []
    together(lambda item: item, range(100), 5, done.append)
    assert sorted(done) == list(range(100))


def test_without_any_thread_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    dying(monkeypatch, 1)
    with pytest.raises(RuntimeError, match="can't start"):
        together(lambda item: item, range(100), 5, lambda _: None)


@pytest.mark.parametrize("crew", [1, 3])
def test_a_thread_that_dies_without_a_word_is_noticed(monkeypatch: pytest.MonkeyPatch, crew: int) -> None:
    dying(monkeypatch, 1, silent=True)
    with pytest.raises(CommandFailed) as caught:
        together(lambda item: item, range(100), crew, lambda _: None)
    assert caught.value.ident == "HIB-E-THREADS"


def test_nobody_waits_for_a_part_whose_maker_died(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_LOOK", 0.01)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    order = InOrder[int](lambda _: None, 2)

    def give_up() -> None:
        order.give_up()
        if not order.next:
            raise MemoryError  # in the thread that fails, so that it dies there

    def work(number: int) -> int:
        order.wait(number)
        if number == 0:
            raise ImageError("the first")
        order.give(number, number)
        return number

    with pytest.raises(ImageError, match="the first"):
        together(work, range(100), 3, lambda _: None, give_up)


def test_no_thread_runs_on_when_a_start_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    real = threading.Thread.start
    entered: list[int] = []
    go = threading.Event()

    def start(self: threading.Thread) -> None:
        real(self)
        if len(threading.enumerate()) > before + 1:
            go.set()
            raise KeyboardInterrupt

    def work(item: int) -> int:
        entered.append(item)
        go.wait(20)
        return item

    before = len(threading.enumerate())
    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(KeyboardInterrupt):
        together(work, range(1000), 4, lambda _: None)
    assert len(threading.enumerate()) == before
    assert len(entered) < 1000


def test_what_was_handed_in_behind_a_gap_is_refused() -> None:
    order = InOrder[int](lambda _: None, 5)
    order.give(0, 0)
    order.refuse_gaps()
    order.give(2, 2)
    with pytest.raises(CommandFailed, match="part 1 never came"):
        order.refuse_gaps()
