"""Rehearsals, history and settings, each alone."""

from __future__ import annotations

import pytest

from khib_tui.handover.handover import Mode
from khib_tui.model.choices import After
from screens.wizard.history import HistoryPage, bar
from screens.wizard.home import HomePage
from screens.wizard.rehearsals import RehearsalsPage
from screens.wizard.settings import BOOT, KERNEL, MEMORY, OPTIONS, TARGET, SettingsPage
from tests.kit.fakeflow import Asked, FakeFlow
from tests.kit.journeys import past
from tests.kit.pages import chosen, make
from tests.kit.screens_kit import at_cursor, press, shown


@pytest.mark.parametrize(
    ("label", "asked"),
    [
        ("1. Rehearse echo", ("echo",)), ("2. Rehearse jump", ("travel", Mode.REHEARSE)),
        ("3. Rehearse save", ("travel", Mode.REHEARSE_SAVE)), ("4. Full trip", ("travel", Mode.SAVE)),
        ("Back", ("review",)),
    ],
)  # fmt: skip
def test_each_rehearsal_has_its_button(flow: FakeFlow, label: str, asked: Asked) -> None:
    make(RehearsalsPage, flow)
    chosen(flow, label, "tab" if label == "Back" else "down")
    assert flow.asked == [asked]


def test_the_first_one_that_is_open_is_in_focus_and_each_says_how_it_went(flow: FakeFlow) -> None:
    make(RehearsalsPage, flow)
    assert at_cursor(flow.window).startswith("1. Rehearse echo") and "not tried yet" in shown(flow.window)
    flow.journeys = past(flow.now)[:3]
    make(RehearsalsPage, flow)
    assert at_cursor(flow.window).startswith("3. Rehearse save")
    text = " ".join(shown(flow.window).split())
    assert "[warn] < 3. Rehearse save > failed on 2023-11-15 03:01: the place of the image is full" in text
    assert "[ ok ] < 2. Rehearse jump > went well on" in text and "the saver's screen was seen" in text
    assert "[ ] < 4. Full trip > not tried yet" in text


def test_hibernating_without_a_rehearsal_is_possible_and_said(flow: FakeFlow) -> None:
    make(RehearsalsPage, flow)
    assert "Hibernating without any of them is possible" in " ".join(shown(flow.window).replace("#", "").split())
    make(HomePage, flow)
    assert "It was never rehearsed on this machine." in " ".join(shown(flow.window).split())


def test_home_shows_the_last_hibernations_as_a_chart(flow: FakeFlow) -> None:
    make(HomePage, flow)
    assert "Last hibernations" not in shown(flow.window)
    flow.journeys = past(flow.now)
    make(HomePage, flow)
    text = " ".join(shown(flow.window).split())
    assert " ###....... 1.0 GiB 170.7 MiB/s zstd asleep 10 min 0 s" in text
    assert " ########## 3.0 GiB 512.0 MiB/s lz4 asleep 7 h 12 min" in text
    assert "22:13 did not come back" in text and "Last hibernated well on 2023-11-17" in text


def test_the_history_has_all_of_them_the_newest_first(flow: FakeFlow) -> None:
    flow.journeys = past(flow.now)
    make(HistoryPage, flow)
    text = shown(flow.window)
    days = [line.split()[0] for line in text.split("\n") if line.strip().startswith("2023-")]
    assert days == sorted(days, reverse=True) and len(days) == 6
    assert "failed  the place of the image is full" in text
    press(flow.window, "esc")
    assert flow.asked == [("home",)]


def test_a_history_of_nothing_says_so(flow: FakeFlow) -> None:
    make(HistoryPage, flow)
    assert "Nothing was tried here yet" in shown(flow.window) and at_cursor(flow.window).startswith("Back")


@pytest.mark.parametrize(("count", "most", "drawn"), [(1, 100, 1), (100, 100, 10), (50, 100, 5), (0, 0, 0)])
def test_a_bar_is_never_empty_for_what_there_is(count: int, most: int, drawn: int) -> None:
    assert bar(count, most) == "#" * drawn + "." * (10 - drawn)


@pytest.mark.parametrize(
    ("label", "asked"),
    [
        ("Image target: /dev/vdb1", ("edit", TARGET)), ("Compression and check: auto, not read back", ("edit", OPTIONS)),
        ("When it is written: power off", ("edit", OPTIONS)), ("Wake by itself: never", ("edit", OPTIONS)),
        ("Lid, power menu, systemctl: as before khib", ("edit", OPTIONS)), ("Memory region", ("edit", MEMORY)),
        ("Kernel of saver and restorer: automatic", ("edit", KERNEL)), ("Boot entry: auto", ("edit", BOOT)),
        ("Seal the images", ("seal",)), ("Rehearse the echo", ("echo",)),
    ],
)  # fmt: skip
def test_each_choice_leads_to_its_page_alone(flow: FakeFlow, label: str, asked: Asked) -> None:
    make(SettingsPage, flow)
    for _ in range(20):
        if label in at_cursor(flow.window):
            break
        press(flow.window, "down")
    assert label in at_cursor(flow.window)
    press(flow.window, "enter")
    assert flow.asked == [asked]


@pytest.mark.parametrize(
    ("label", "asked"),
    [("Set up with these", ("travel", None)), ("Forget the changes", ("forget",)), ("Back", ("home",))],
)
def test_choices_come_into_force_or_are_forgotten(flow: FakeFlow, label: str, asked: Asked) -> None:
    flow.settings = FakeFlow(flow.path.parent, after=After.REBOOT).settings
    make(SettingsPage, flow)
    chosen(flow, label)
    assert flow.asked == [asked]


def test_what_was_changed_is_marked(flow: FakeFlow) -> None:
    flow.settings = FakeFlow(flow.path.parent, after=After.REBOOT, wake="07:30").settings
    make(SettingsPage, flow)
    text = shown(flow.window)
    assert "* When it is written: restart" in text and "* Wake by itself: 07:30" in text and "  Image target" in text
