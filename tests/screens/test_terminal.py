"""The wizard on a real terminal: what it leaves behind, whatever ends it, and how much it sends down a slow line."""

from __future__ import annotations

import io
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urwid

from khib_tui.events.progress import Stop
from khib_tui.events.types import Progress, Stage, StageName, Status
from screens.progress.page import StagePage
from screens.ui import theme
from screens.ui.window import Window
from tests.kit import MACHINES

PATIENCE = 20.0
GIB = 1 << 30
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1]
Started = tuple[subprocess.Popen[bytes], int, int, list[Any]]


def read_until(fd: int, wanted: bytes) -> bytes:
    """Read what the program draws until a text is there."""
    data, end = b"", time.monotonic() + PATIENCE
    while wanted not in data and time.monotonic() < end:
        if select.select([fd], [], [], 0.1)[0]:
            data += os.read(fd, 65536)
    assert wanted in data, data
    return data


@pytest.fixture(params=["linux", "xterm", "vt100"])
def started(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Started]:
    """The wizard on a terminal of 80x24, at its first page."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 80))
    before = termios.tcgetattr(slave)
    heeding = ["env", "--default-signal=HUP,INT,QUIT"]  # pytest in the background has them ignored
    options = ["--facts", str(MACHINES / "qemu-bios-1g.json"), "--settings", str(tmp_path / "k.toml")]
    words = [*heeding, sys.executable, "-m", "khib_tui", *options]
    environ = os.environ | {"TERM": request.param, "LANG": "C.UTF-8"}
    program = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, env=environ, start_new_session=True)
    read_until(master, b"Start")
    yield program, master, slave, before
    program.kill()
    program.wait()
    os.close(master)
    os.close(slave)


def rest(master: int) -> bytes:
    """Read what is left."""
    data = b""
    while select.select([master], [], [], 0.2)[0]:
        data += os.read(master, 65536)
    return data


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_whatever_signal_ends_it_the_terminal_is_as_before(started: Started, number: signal.Signals) -> None:
    program, master, slave, before = started
    program.send_signal(number)
    assert program.wait(PATIENCE) == 128 + number
    assert termios.tcgetattr(slave) == before
    said = rest(master)
    assert b"stopped by" in said and b"Traceback" not in said


def test_leaving_by_keys_gives_the_terminal_back_too(started: Started) -> None:
    program, master, slave, before = started
    os.write(master, b"\x18")  # Ctrl-X, for terminals whose F keys are eaten
    read_until(master, b"Leave khib?")
    os.write(master, b"\t\r")
    assert program.wait(PATIENCE) == 3 and termios.tcgetattr(slave) == before


class SlowLine(theme.Terminal):
    """A terminal at the end of a serial line, of which all that is sent is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = self._term_output_file = io.StringIO()
        self._started = True

    def get_cols_rows(self) -> tuple[int, int]:
        """Return the size that serial lines have."""
        return 80, 24


def test_a_progress_update_takes_less_than_200_bytes_of_a_serial_line(monkeypatch: pytest.MonkeyPatch) -> None:
    before = urwid.util.get_encoding()
    urwid.set_encoding("ascii")
    try:
        monkeypatch.setenv("TERM", "vt100")
        window = Window(SlowLine())
        page = StagePage(window, "Hibernating", Stop())
        clock = iter(range(10_000))
        page.track.clock = lambda: float(next(clock))
        window.show(page)
        page.take(Stage(StageName.SAVE, Status.STARTED, "to /dev/nvme0n1p4"))
        counts = [len(drawn(window, page, done)) for done in range(60)]
    finally:
        urwid.set_encoding(before)
    assert counts[0] > 500, "the first frame is drawn whole"
    assert max(counts[2:]) < 200, counts


def test_only_blanks_of_no_colour_are_left_out() -> None:
    assert theme.short("ab   \x1b[K\x1b[7m  x   \x1b[0m\x1b[K") == "ab\x1b[K\x1b[7m  x   \x1b[0m\x1b[K"


def drawn(window: Window, page: StagePage, second: int) -> str:
    """Take one event a second, draw, and return what was sent."""
    screen = window.loop.screen
    assert isinstance(screen, SlowLine)
    page.take(Progress(StageName.SAVE, second * GIB // 4, 15 * GIB, second, rate=GIB / 4 + second * 9e6, eta=60.0 - second))
    screen.sent.seek(0)
    screen.sent.truncate()
    screen.draw_screen((80, 24), page.render((80, 24), focus=True))
    screen.flush()
    return screen.sent.getvalue()
