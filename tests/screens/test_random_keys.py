"""Random keys on every page of every machine: nothing raises, nothing goes anywhere without being asked for by its button."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import urwid

from khib_tui.errors import KhibError
from khib_tui.facts import blockdev
from khib_tui.restorer import manage
from khib_tui.target import catalog
from screens.ui.page import Page
from screens.wizard import images as wizard_images
from screens.wizard.run import RunPage
from tests.kit import MACHINES
from tests.kit.everypage import every_page, make
from tests.kit.fakeflow import FakeFlow
from tests.kit.screens_kit import facts, shown

KEYS = [
    "tab", "shift tab", "enter", "enter", " ", "esc", "up", "down", "left", "right", "page up", "page down", "home", "end",
    "f1", "f3", "f8", "f10", "ctrl l", "ctrl x", "ctrl c", "?",
    "backspace", "delete", "a", "/", "q", "\u4e2d", "ctrl u", "meta x",
]  # fmt: skip
FEW = 40
MANY = int(os.environ.get("KHIB_KEYS", "50000"))
SIZES = [(80, 24), (132, 43), (40, 12), (20, 5)]
NAMES = sorted(path.stem for path in MACHINES.glob("*.json"))
PAGES = list(every_page())


@pytest.fixture
def nothing_lost(monkeypatch: pytest.MonkeyPatch, quick_seals: None) -> None:
    """What would touch a disk fails the test."""

    def never(*_: Any) -> None:
        raise AssertionError("discarded without the typed word")

    monkeypatch.setattr(catalog, "images", lambda *_: [])
    monkeypatch.setattr(blockdev, "devices", lambda *_: ())
    monkeypatch.setattr(manage, "discard", never)
    monkeypatch.setattr(manage, "info", lambda *_: {})
    monkeypatch.setattr(wizard_images, "discard", never)
    monkeypatch.setattr(RunPage, "work", lambda _: None)


def play(new: Callable[[], FakeFlow], kind: type[Page], dice: random.Random, count: int) -> None:
    """Press keys on a page; one that ends the program or goes elsewhere begins anew."""
    flow = new()
    try:
        make(kind, flow)
    except KhibError:
        return  # the wizard shows that in a box: this machine has no such page
    for _ in range(count):
        try:
            flow.window.loop.process_input([dice.choice(KEYS)])
            shown(flow.window)
        except urwid.ExitMainLoop:
            flow = new()
            make(kind, flow)


@pytest.mark.usefixtures("nothing_lost")
@pytest.mark.filterwarnings("ignore::urwid.widget.WidgetWarning")
@pytest.mark.parametrize("kind", PAGES, ids=lambda kind: kind.__name__)
def test_a_few_keys(tmp_path: Path, kind: type[Page]) -> None:
    dice = random.Random(kind.__name__)
    for name in NAMES:
        size = dice.choice(SIZES)
        play(lambda name=name, size=size: FakeFlow(tmp_path, facts(name), size), kind, dice, FEW)  # type: ignore[misc]


@pytest.mark.long
@pytest.mark.usefixtures("nothing_lost")
@pytest.mark.filterwarnings("ignore::urwid.widget.WidgetWarning")
@pytest.mark.parametrize("name", NAMES)
def test_very_many_keys(tmp_path: Path, name: str) -> None:
    dice = random.Random(name)
    for kind in PAGES:
        for size in SIZES:
            count = MANY // len(NAMES) // len(PAGES) // len(SIZES)
            play(lambda size=size: FakeFlow(tmp_path, facts(name), size), kind, dice, count)  # type: ignore[misc]
