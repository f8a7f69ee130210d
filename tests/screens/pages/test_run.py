"""A run while it goes on."""

from __future__ import annotations

from threading import Event as Flag

import pytest

from khib_tui.events.types import Message, Status, Step
from screens.wizard.run import RunPage, away
from tests.kit.fakeflow import FakeFlow
from tests.kit.pages import make
from tests.kit.screens_kit import press, shown


def run_page(flow: FakeFlow) -> RunPage:
    page = make(RunPage, flow)
    assert isinstance(page, RunPage)
    return page


def test_a_run_shows_its_steps_as_they_happen(flow: FakeFlow) -> None:
    page = run_page(flow)
    flag = Flag()
    assert [text[:6] for text, _ in page.board.shown] == ["[    ]"] * (len(page.task.actions) + len(away(page.task)))
    page.take(Step(1, 8, "x", Status.DONE), flag)
    page.take(Step(2, 8, "x", Status.STARTED), flag)
    page.take(Message("a word"), flag)
    text = shown(flow.window)
    assert "[done] see that" in text and "[ .. ] keep kernel" in text and "a word" in text and flag.is_set()


@pytest.mark.parametrize("key", ["esc", "f10", "ctrl c", "ctrl x"])
def test_a_run_goes_on_whatever_is_pressed(flow: FakeFlow, key: str) -> None:
    page = run_page(flow)
    assert "cannot be stopped here" in press(flow.window, key) and flow.window.page is page and flow.asked == []
