"""Random keys through the whole wizard, from page to page, on every machine: nothing raises, nothing is discarded."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest
import urwid

from khib_tui.facts import blockdev
from khib_tui.linux import keymap
from khib_tui.plan import execute
from khib_tui.plan.journal import Journal
from khib_tui.target import catalog
from screens.wizard import app
from screens.wizard import images as wizard_images
from screens.wizard.app import Wizard
from screens.wizard.run import RunPage
from tests.kit import MACHINES
from tests.kit.journeys import past
from tests.kit.screens_kit import make, set_up, shown

KEYS = [
    "tab", "tab", "shift tab", "enter", "enter", "enter", " ", "esc", "up", "down", "down", "left", "right", "page down",
    "end", "f1", "f8", "f10", "ctrl g", "?", "backspace", "a", "/", "7", "\u4e2d",
]  # fmt: skip
FEW, MANY = 2_000, int(os.environ.get("KHIB_KEYS", "50000"))
SIZES = [(80, 24), (132, 43), (40, 12), (20, 5)]
NAMES = sorted(path.stem for path in MACHINES.glob("*.json"))


@pytest.fixture(autouse=True)
def nothing_lost(monkeypatch: pytest.MonkeyPatch, quick_seals: None) -> None:
    """What would be run is not; what would give an image up fails the test."""

    def never(*_: Any) -> None:
        raise AssertionError("discarded without the typed word")

    monkeypatch.setattr(catalog, "images", lambda *_: [])
    monkeypatch.setattr(blockdev, "devices", lambda *_: ())
    monkeypatch.setattr(wizard_images, "discard", never)
    monkeypatch.setattr(RunPage, "work", lambda _: None)
    monkeypatch.setattr(keymap, "read", lambda *_: b"")
    monkeypatch.setattr(execute, "execute", never)
    monkeypatch.setattr(app, "execute", lambda *_: None)


def begin(folder: Path, name: str, size: tuple[int, int], dice: random.Random) -> Wizard:
    """A wizard at its first page, sometimes with a past."""
    wizard = make(folder, name, size=size)
    if dice.random() < 0.5:
        for journey in past(wizard.now):
            Journal.beside(wizard.path).put(journey)
    wizard.begin()
    return wizard


def play(folder: Path, name: str, count: int, dice: random.Random) -> set[str]:
    """Press so many keys; return the pages that were seen."""
    seen: set[str] = set()
    wizard = begin(folder, name, dice.choice(SIZES), dice)
    for _ in range(count):
        try:
            wizard.window.loop.process_input([dice.choice(KEYS)])
            shown(wizard.window)
        except urwid.ExitMainLoop:
            wizard = begin(folder, name, dice.choice(SIZES), dice)
        if isinstance(wizard.window.page, RunPage):
            wizard = begin(folder, name, dice.choice(SIZES), dice)
        seen.add(type(wizard.window.page).__name__)
    return seen


@pytest.mark.filterwarnings("ignore::urwid.widget.WidgetWarning")
def test_a_few_keys(tmp_path: Path) -> None:
    dice = random.Random("walks")
    seen: set[str] = set()
    for name in NAMES:
        (tmp_path / name).mkdir()
        if name.startswith("qemu"):
            set_up(tmp_path / name)
        seen |= play(tmp_path / name, name, FEW // len(NAMES), dice)
    assert {"WelcomePage", "ChecksPage", "HomePage"} <= seen


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::urwid.widget.WidgetWarning")
@pytest.mark.parametrize("name", NAMES)
def test_very_many_keys(tmp_path: Path, name: str) -> None:
    dice = random.Random(name)
    fresh, ready = tmp_path / "fresh", tmp_path / "ready"
    for folder in (fresh, ready):
        folder.mkdir()
    set_up(ready)
    seen = play(fresh, name, MANY // len(NAMES) // 2, dice) | play(ready, name, MANY // len(NAMES) // 2, dice)
    assert {"WelcomePage", "ChecksPage", "HomePage", "HistoryPage", "RehearsalsPage"} <= seen
