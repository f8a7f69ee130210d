"""Random names and labels in every list: no control byte reaches the terminal, and columns stay where they are."""

from __future__ import annotations

import io
import os
import random
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import urwid
from wcwidth import wcswidth, wcwidth

from khib_tui.model.journey import End, Journey, Rung
from khib_tui.model.machine import Machine
from khib_tui.target.catalog import Found
from screens.restore.images import ConsolePage
from screens.ui import theme
from screens.ui.logbox import LogBox
from screens.ui.window import Window
from screens.wizard.history import HistoryPage
from screens.wizard.images import ImagesPage
from screens.wizard.target import TargetPage
from tests.kit.fakeflow import FakeFlow
from tests.kit.machines import LAPTOP
from tests.kit.restore_kit import image
from tests.kit.screens_kit import shown

FEW, MANY = 2_000, int(os.environ.get("KHIB_LABELS", "100000"))
SIZE = (100, 60)
# Controls, combining marks, both directions, joiners, wide letters, emoji with skin and flags, what has no look.
ODD = (
    "\x00\x07\x08\x1b\x7f\x85\x9b\u0300\u0301\u0e31\u05bf\u200d\u200e\u200f\u202a\u202e\u2028\u2066\u2069\ufeff\ufe0f"
    "\u0627\u0644\u05d0\u4e2d\uac00\u1100\u1161\u11a8\uff21\u3164\U0001f468\U0001f3fb\U0001f1e9\U0001f1ea\ue000\U000e0041\ud800"
)
STEER = ("\x1b[2J", "\x1b]0;x\x07", "\r\n", "\x9b31m", "\x1b[200~")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
OWN = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|[()][AB0U]|[=>78])|[\x0e\x0f\r\n]")


def label(dice: random.Random) -> str:
    """A label that somebody evil, or of another country, may have given."""
    made = [dice.choice(ODD) if dice.random() < 0.4 else dice.choice(string.printable) for _ in range(dice.randrange(1, 24))]
    made += [dice.choice(STEER)] if dice.random() < 0.2 else []
    return "".join(made)


def machine(dice: random.Random) -> Machine:
    """A laptop whose disks bear such names."""
    devices = [
        msgspec.structs.replace(device, model=label(dice), serial=label(dice), label=label(dice)) for device in LAPTOP.devices
    ]
    return msgspec.structs.replace(LAPTOP, devices=tuple(devices))


def found(dice: random.Random) -> Found:
    """An image of a host of such a name."""
    item = image("/dev/nvme0n1p4")
    header = msgspec.structs.replace(item.header, host=label(dice), reason=label(dice))
    return msgspec.structs.replace(item, header=header)


def journey(dice: random.Random, at: float) -> Journey:
    """A journey that failed for such a reason."""
    return Journey(Rung.TRIP, at, end=End.FAILED, text=label(dice), codec=label(dice), image_bytes=1 << 30, save_seconds=1.0)


def screens(dice: random.Random, folder: Path) -> Iterator[tuple[Window, int]]:
    """Yield windows that show such labels, and how many each."""
    here = machine(dice)
    flow = FakeFlow(folder, here, SIZE, target="/dev/nvme0n1p4")
    flow.window.show(TargetPage(flow))
    yield flow.window, 3 * len(here.devices)
    console = FakeFlow(folder, LAPTOP, SIZE).window
    console.show(ConsolePage(console, (), [found(dice) for _ in range(20)]))
    yield console, 40
    listed = FakeFlow(folder, LAPTOP, SIZE)
    page = ImagesPage(listed)
    page.fill([found(dice) for _ in range(20)])
    listed.window.show(page)
    yield listed.window, 40
    past = FakeFlow(folder, LAPTOP, SIZE)
    past.journeys = [journey(dice, float(at)) for at in range(20)]
    past.window.show(HistoryPage(past))
    yield past.window, 40
    logs = FakeFlow(folder, LAPTOP, SIZE).window
    lines = [label(dice) for _ in range(40)]
    logs.open(LogBox(SIZE, [(label(dice), lambda: lines)], logs.close))
    yield logs, 41


class Kept(theme.Terminal):
    """A terminal, of which all that is sent is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = self._term_output_file = io.StringIO()
        self._started = True

    def get_cols_rows(self) -> tuple[int, int]:
        """Return its size."""
        return SIZE


def refuse_harm(window: Window) -> None:
    """See that what is drawn keeps to its cells, and that nothing but urwid's own sequences steers."""
    rows = shown(window).split("\n")
    assert len(rows) == SIZE[1]
    for row in rows:
        assert wcswidth(row) == SIZE[0] and not CONTROL.search(row), repr(row)
        assert all(wcwidth(char) > 0 for char in row), repr(row)
    canvas: Any = window.loop.screen.canvases[-1]  # type: ignore[attr-defined]
    terminal = Kept()
    terminal.draw_screen(SIZE, canvas)
    sent = OWN.sub("", terminal.sent.getvalue())
    assert not CONTROL.search(sent), repr(CONTROL.findall(sent))


def play(seed: str, folder: Path, count: int) -> None:
    """Show so many labels."""
    dice, done = random.Random(seed), 0
    while done < count:
        for window, labels in screens(dice, folder):
            refuse_harm(window)
            done += labels
        urwid.CanvasCache.clear()


@pytest.mark.filterwarnings("ignore::urwid.widget.WidgetWarning")
def test_a_few_thousand_labels(tmp_path: Path) -> None:
    play("a few", tmp_path, FEW)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::urwid.widget.WidgetWarning")
@pytest.mark.parametrize("part", range(8))
def test_very_many_labels(tmp_path: Path, part: int) -> None:
    play(f"very many {part}", tmp_path, MANY // 8)
