"""Work in a child: whatever ends it, this process goes on and knows why."""

from __future__ import annotations

import faulthandler
import os
import resource
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from khib_tui.linux.child import apart, said


def fall(number: int) -> None:
    faulthandler.disable()  # of the tests
    os.kill(os.getpid(), number)


def no_memory() -> None:
    limit = resource.getrlimit(resource.RLIMIT_DATA)[0]
    assert limit != resource.RLIM_INFINITY
    assert bytearray(limit)


def fails() -> None:
    raise ValueError("a defect")


def nothing() -> None:
    return


@pytest.mark.parametrize(
    ("work", "text"),
    [
        (nothing, "it ended with code 0"), (fails, "it ended with code 70"), (no_memory, "it ended with code 70"),
        (partial(os._exit, 5), "it ended with code 5"), (partial(fall, signal.SIGSEGV), "it was ended by SIGSEGV"),
        (partial(fall, signal.SIGKILL), "it was ended by SIGKILL"), (partial(fall, signal.SIGRTMIN + 3), "it was ended by "),
    ],
)  # fmt: skip
def test_this_process_outlives_whatever_ends_the_child(work: Callable[[], None], text: str) -> None:
    assert said(apart(work)).startswith(text)


def test_the_kernel_ends_the_child_first_and_signals_reach_it(tmp_path: Path) -> None:
    def work() -> None:
        told = [Path("/proc/self/oom_score_adj").read_text().strip(), str(signal.getsignal(signal.SIGINT))]
        (tmp_path / "told").write_text("\n".join(told))

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert apart(work) == 0
    finally:
        signal.signal(signal.SIGINT, before)
    score, handler = (tmp_path / "told").read_text().splitlines()
    assert score == "1000" and "default_int_handler" in handler


def test_what_is_mapped_and_never_touched_is_added_to_the_limit(tmp_path: Path) -> None:
    def limit(untouched: int) -> int:
        def work() -> None:
            (tmp_path / "told").write_text(str(resource.getrlimit(resource.RLIMIT_DATA)[0]))

        assert apart(work, untouched) == 0
        return int((tmp_path / "told").read_text())

    assert limit(4 << 40) - limit(0) > 3 << 40
