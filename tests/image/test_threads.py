"""Threads that work together: how many, in which order, and how they end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from khib_tui.errors import ImageError
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
