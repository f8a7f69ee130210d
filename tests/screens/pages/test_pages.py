"""Every page of the wizard alone: focus, help, Esc, leaving, and no button that does nothing.

A new page is found by itself; what it has to say here is where its focus is, and what its Esc does if it is no step.
"""

from __future__ import annotations

import pytest
import urwid

from screens.ui import keys
from screens.ui.keys import Key
from screens.ui.page import Page
from screens.wizard.history import HistoryPage
from screens.wizard.home import HomePage
from screens.wizard.images import ImagesPage
from screens.wizard.readback import ReadBackPage
from screens.wizard.rehearsals import RehearsalsPage
from screens.wizard.result import ResultPage
from screens.wizard.review import ReviewPage
from screens.wizard.run import RunPage
from screens.wizard.seal import RecoveryKeyPage, SealPage
from screens.wizard.settings import SettingsPage
from screens.wizard.step import StepPage
from screens.wizard.welcome import WelcomePage
from tests.kit.fakeflow import Asked, FakeFlow
from tests.kit.pages import MAKERS, make, pages
from tests.kit.screens_kit import at_cursor, press, shown, until

PAGES = list(pages())
EVERY = pytest.mark.parametrize("kind", PAGES, ids=lambda kind: kind.__name__)
STEPS = [kind for kind in PAGES if issubclass(kind, StepPage)]
FOCUS = {
    "BootPage": "Next",
    "ChecksPage": "Next",
    "HistoryPage": "Back",
    "HomePage": "Hibernate now",
    "ImagesPage": "Info",
    "KernelPage": "Next",
    "MemoryPage": "Next",
    "OptionsPage": "Next",
    "ReadBackPage": "",
    "RecoveryKeyPage": " " * 4,
    "RehearsalsPage": "1. Rehearse echo",
    "ResultPage": "Rehearse",
    "ReviewPage": "Set up",
    "RunPage": "[    ] see that",
    "SealPage": "",
    "SettingsPage": "  Image target: /dev/vdb1",
    "WelcomePage": "Start",
    "TargetPage": "(*) /dev/vdb1",
}
# What Esc asks of the flow. A page that Esc does not leave says why.
ESC: dict[type[Page], list[Asked] | str] = {
    HistoryPage: [("home",)],
    HomePage: [],
    RehearsalsPage: [("review",)],
    SettingsPage: [("home",)],
    ImagesPage: [("home",)],
    ReadBackPage: [("home",)],
    RecoveryKeyPage: "the key is never shown again",
    ResultPage: [("review",)],
    RunPage: "cannot be stopped here",
    WelcomePage: [],
    SealPage: [("sealed", "")],
}


def test_all_pages_are_found() -> None:
    assert len(STEPS) >= 7 and {kind.__name__ for kind in PAGES} == FOCUS.keys()
    assert MAKERS.keys() <= set(PAGES)


@EVERY
def test_a_page_says_its_title_and_the_keys_that_are_valid(flow: FakeFlow, kind: type[Page]) -> None:
    page = make(kind, flow)
    rows = shown(flow.window).splitlines()
    assert page.title and rows[0].strip().startswith(page.title)
    assert rows[-1].strip() == keys.footer(page.keys, 80).strip() and Key.HELP in page.keys


@EVERY
def test_the_focus_is_first_where_the_answer_is(flow: FakeFlow, kind: type[Page]) -> None:
    make(kind, flow)
    assert at_cursor(flow.window).startswith(FOCUS[kind.__name__].rstrip())


@EVERY
def test_tab_comes_round_to_the_first_focus_again(flow: FakeFlow, kind: type[Page]) -> None:
    make(kind, flow)
    places = []
    for _ in range(12):
        places.append(at_cursor(flow.window))
        press(flow.window, "tab")
    assert places[0] in places[1:] and not flow.asked


@EVERY
def test_help_says_what_the_page_is_for_and_changes_nothing(flow: FakeFlow, kind: type[Page]) -> None:
    page = make(kind, flow)
    before = shown(flow.window)
    text = press(flow.window, "f1")
    assert "+ Help" in text and page.help_text()[:30] in " ".join(text.replace("|", " ").split())
    assert press(flow.window, "esc") == before and not flow.asked


@EVERY
def test_esc_goes_back_and_changes_nothing(flow: FakeFlow, kind: type[Page]) -> None:
    make(kind, flow)
    wanted = [("back",)] if issubclass(kind, StepPage) else ESC[kind]
    text = press(flow.window, "esc")
    if isinstance(wanted, str):
        assert flow.asked == [] and wanted in " ".join(text.split())
    else:
        assert flow.asked == wanted


@EVERY
def test_nobody_leaves_by_a_slip(flow: FakeFlow, kind: type[Page]) -> None:
    make(kind, flow)
    if kind is ResultPage:
        with pytest.raises(urwid.ExitMainLoop):
            press(flow.window, "f10")
    elif kind is HomePage:
        press(flow.window, "f10")
        assert flow.asked == [("leave",)]
    elif isinstance(ESC.get(kind), str):
        assert str(ESC[kind]) in " ".join(press(flow.window, "f10").split()) and flow.window.stack.depth == 0
    else:
        assert "Leave khib?" in press(flow.window, "f10") and at_cursor(flow.window).startswith("No")


def labels(page: Page) -> list[str]:
    """The buttons below a page."""
    cells = [cell.base_widget for cell, _ in page.buttons.contents] if page.buttons else []
    return [str(cell.get_label()) for cell in cells if isinstance(cell, urwid.Button)]


@EVERY
def test_every_button_does_something(flow: FakeFlow, kind: type[Page]) -> None:
    for label in labels(make(kind, flow)):
        page = make(kind, flow)
        flow.asked.clear()
        until(flow.window, label)
        before = shown(flow.window)
        try:
            press(flow.window, "enter")
        except urwid.ExitMainLoop:
            continue
        assert flow.asked or flow.window.stack.depth or flow.window.page is not page or shown(flow.window) != before, label


@pytest.mark.parametrize("kind", STEPS, ids=lambda kind: kind.__name__)
def test_next_on_an_untouched_step_gives_the_settings_as_they_were(flow: FakeFlow, kind: type[StepPage]) -> None:
    page = make(kind, flow)
    until(flow.window, labels(page)[0])
    press(flow.window, "enter")
    if kind is ReviewPage:
        until(flow.window, "Set up without a seal")
        press(flow.window, "enter")
    assert flow.asked == [("travel", None) if kind is ReviewPage else ("forward", flow.settings)]
