"""The end of a run, and where it leads."""

from __future__ import annotations

import pytest
import urwid

from khib_tui.errors import Exit
from khib_tui.handover.handover import Mode
from khib_tui.plan.task import Ending
from screens.ui.page import Page
from screens.wizard.result import ResultPage
from tests.kit.fakeflow import Asked, FakeFlow
from tests.kit.pages import chosen, task
from tests.kit.screens_kit import press, shown

WELL, BADLY = Ending("This system is back", "resumed: yes"), Ending("It did not work", "no [HIB-E-X]", Exit.UNCHANGED)


def result(flow: FakeFlow, ending: Ending, mode: Mode | None, *, ready: bool = True) -> Page:
    flow.ready = ready
    page = ResultPage(flow, task(flow, mode), ending)
    flow.window.show(page)
    flow.window.code = ending.code
    return page


@pytest.mark.parametrize(
    ("ending", "mode", "ready", "label", "asked"),
    [
        (WELL, Mode.SAVE, True, "Home", ("home",)),
        (WELL, None, False, "Back to the review", ("review",)),
        (WELL, None, True, "Rehearse", ("rehearse",)),
        (WELL, Mode.REHEARSE, True, "Hibernate now", ("travel", Mode.SAVE)),
        (BADLY, Mode.SAVE, True, "Try again", ("travel", Mode.SAVE)),
        (BADLY, None, False, "Try again", ("travel", None)),
    ],
)
def test_the_end_of_a_run_leads_on(
    flow: FakeFlow, ending: Ending, mode: Mode | None, ready: bool, label: str, asked: Asked
) -> None:
    result(flow, ending, mode, ready=ready)
    assert ending.text in shown(flow.window) and ending.title in shown(flow.window)
    chosen(flow, label)
    assert flow.asked == [asked]


def test_after_a_hibernation_that_went_well_nothing_is_to_be_tried(flow: FakeFlow) -> None:
    result(flow, WELL, Mode.SAVE)
    text = shown(flow.window)
    assert "Try again" not in text and "Rehearse" not in text and "< Home >" in text


@pytest.mark.parametrize("ending", [WELL, BADLY], ids=lambda ending: ending.title)
@pytest.mark.parametrize("way", ["f10", "Quit"])
def test_leaving_after_a_run_gives_its_exit_code(flow: FakeFlow, ending: Ending, way: str) -> None:
    result(flow, ending, Mode.SAVE)
    with pytest.raises(urwid.ExitMainLoop):
        chosen(flow, "Quit") if way == "Quit" else press(flow.window, way)
    assert flow.window.code == ending.code


@pytest.mark.parametrize(("ready", "asked"), [(True, ("home",)), (False, ("review",))])
def test_esc_after_a_run_goes_where_there_is_something(flow: FakeFlow, ready: bool, asked: Asked) -> None:
    result(flow, BADLY, None, ready=ready)
    press(flow.window, "esc")
    assert flow.asked == [asked]
