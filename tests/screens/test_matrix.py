"""Every page of A, B and C, on every size and kind of screen; a page that is new is covered by being there.

The texts lie in tests/screens/snapshots; `KHIB_SNAPSHOT=write` writes them, for the reader of the diff to judge.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import urwid
from urwid.testing import render_runs, resolve_runs

from khib_tui import i18n
from khib_tui.target import catalog
from screens.ui import theme
from screens.ui.page import Page
from screens.wizard.step import StepPage
from tests.kit.everypage import PLACES, controls, every_page, focused, make
from tests.kit.fakeflow import FakeFlow
from tests.kit.machines import LAPTOP
from tests.kit.screens_kit import at_cursor, press, shown

SNAPSHOTS = Path(__file__).parent / "snapshots"
SIZES = [(80, 24), (132, 43), (40, 12)]
MODES = ["colour", "mono", "ascii", "german", "german-ascii"]
ROWS_OF_ONE = 12
COLORS = {"colour": 16, "mono": 1, "ascii": 1, "german": 16, "german-ascii": 1}
NOWHERE = Path("/srv/khib")  # nothing is written there
TARGET = "/dev/nvme0n1p4"
DEVICES = [device.name for device in LAPTOP.devices]
EVERY = pytest.mark.parametrize("kind", list(every_page()), ids=lambda kind: kind.__name__)
ON_EACH = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
# Where keys lead does not depend on colours.
IN_ONE = pytest.mark.parametrize("mode", ["colour", "german"])
IN_EACH = pytest.mark.parametrize("mode", MODES)


@pytest.fixture
def flow(monkeypatch: pytest.MonkeyPatch, quick_seals: None, size: tuple[int, int], mode: str) -> Iterator[FakeFlow]:
    """A flow on a screen of that size and kind, for the laptop, whose disks have long names."""
    monkeypatch.setattr(catalog, "images", lambda *_: [])
    before = urwid.util.get_encoding()
    urwid.set_encoding("ascii" if mode.endswith("ascii") else "utf-8")
    i18n.use("de" if mode.startswith("german") else "en")
    urwid.CanvasCache.clear()
    yield FakeFlow(NOWHERE, LAPTOP, size, target=TARGET)
    i18n.use("en")
    urwid.set_encoding(before)
    urwid.CanvasCache.clear()


@EVERY
@ON_EACH
@IN_EACH
def test_a_page_is_drawn_whole_with_a_visible_focus(flow: FakeFlow, kind: type[Page], size: tuple[int, int], mode: str) -> None:
    page = make(kind, flow)
    rows = shown(flow.window).split("\n")
    assert [len(row.encode("ascii") if mode.endswith("ascii") else row) for row in rows] == [size[0]] * size[1]
    runs = resolve_runs(render_runs(page, size, focus=True), theme.PALETTE, colors=COLORS[mode])
    bare = resolve_runs(render_runs(page, size, focus=False), theme.PALETTE, colors=COLORS[mode])
    assert at_cursor(flow.window) is not None
    if any(isinstance(control, urwid.Button | urwid.CheckBox) for control in [focused(page)]):
        assert runs != bare, "nothing but the cursor shows where the focus is"


@EVERY
@ON_EACH
@IN_EACH
def test_the_text_is_as_reviewed(flow: FakeFlow, kind: type[Page], size: tuple[int, int], mode: str) -> None:
    make(kind, flow)
    text = "\n".join(line.rstrip() for line in shown(flow.window).split("\n")) + "\n"
    kind_of_text = "" if mode in ("colour", "mono") else f"-{mode}"  # one text, whatever its colours
    kept = SNAPSHOTS / f"{kind.__name__}-{size[0]}x{size[1]}{kind_of_text}.txt"
    if os.environ.get("KHIB_SNAPSHOT") == "write":
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(text)
    assert text == kept.read_text(), "KHIB_SNAPSHOT=write writes it anew; read the difference"


@EVERY
@ON_EACH
@IN_ONE
def test_keys_reach_every_control_and_the_cursor_is_never_lost(
    flow: FakeFlow, kind: type[Page], size: tuple[int, int], mode: str
) -> None:
    page = make(kind, flow)
    reached = {id(focused(page))}
    for way in (["tab"] * 9, ["shift tab"] * 9, ["down"] * 20, ["up"] * 60, ["down"] * 60, ["right"] * 3):
        still = 0
        for key in way:
            before = focused(page)
            press(flow.window, key)
            assert at_cursor(flow.window) is not None
            reached.add(id(focused(page)))
            still = still + 1 if focused(page) is before else 0
            if still > ROWS_OF_ONE:
                break
    missed = [control for control in controls(page) if id(control) not in reached]
    assert not missed


@EVERY
@ON_EACH
@IN_ONE
def test_no_name_of_a_device_is_cut(flow: FakeFlow, kind: type[Page], size: tuple[int, int], mode: str) -> None:
    page = make(kind, flow)
    known = {"mem", *DEVICES, *(name.removeprefix("/dev/") for name in PLACES)}
    for _ in range(40):
        for line in shown(flow.window).split("\n"):
            for name in re.findall(r"/dev/([a-z0-9-]+)(?= |$)", line):
                assert name in known, f"{name!r} is no device:\n{line}"
        before = focused(page)
        press(flow.window, "down")
        if focused(page) is before:
            press(flow.window, "tab")


@EVERY
@ON_EACH
@IN_ONE
def test_esc_loses_no_answer(flow: FakeFlow, kind: type[Page], size: tuple[int, int], mode: str) -> None:
    page = make(kind, flow)
    if not isinstance(page, StepPage):
        return
    before = flow.settings
    changed = set_something(page)
    press(flow.window, "esc")
    assert flow.asked[-1] == ("back",) and (flow.settings != before) == changed
    again = make(kind, flow)
    assert isinstance(again, StepPage) and again.entered() == flow.settings


def set_something(page: StepPage) -> bool:
    """Change the first thing on a page that can be changed; tell whether there was one."""
    for control in controls(page):
        if isinstance(control, urwid.CheckBox) and not control.get_state():
            control.set_state(True)
            return page.entered() != page.flow.settings
        if isinstance(control, urwid.DropDown):
            control.selected = (control.selected + 1) % len(control.options)
            return True
    return False
