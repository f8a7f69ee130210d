"""The wizard from page to page: what they show, keys, small screens, one colour, the ways back and forth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import urwid
from urwid.testing import render_runs, resolve_runs
from urwid.util import set_temporary_encoding

from khib_tui.decide.choice import decide
from khib_tui.errors import Exit
from khib_tui.handover.handover import Mode
from khib_tui.model.units import MIB
from khib_tui.plan import build
from screens.ui import theme
from screens.ui.page import Page
from screens.wizard.app import STEPS, Wizard
from tests.kit.screens_kit import (
    BOOT,
    CHECKS,
    KERNEL,
    MEMORY,
    OPTIONS,
    REVIEW,
    TARGET,
    at,
    at_cursor,
    facts,
    make,
    press,
    set_up,
    shown,
    until,
)

FACTS = {
    CHECKS: ["Checks", "Step 1 of 7", "checks are fine: show all", "[warn] no boot loader", "< Next", "< Retry", "< Back"],
    KERNEL: ["Kernel", "Step 2 of 7", "Automatic", "6.1.192-khib (running now)  /boot/vmlinuz-6.1.192-khib"],
    MEMORY: ["Step 3 of 7", "what the kernel needs", "0x1000000-0xbffffff", "memmap=exactmap", "needed, 850.0 MiB there"],
    TARGET: ["Step 4 of 7", "/dev/vda1", "4.0 GiB", "khib-system", "is mounted at /", "/dev/vdb1", "fit", "ext4 spare"],
    OPTIONS: ["Step 5 of 7", "auto: measured", "power off", "read the whole image back", "after 10 s"],
    BOOT: [
        "Step 6 of 7",
        "Automatic: whatever reads",
        "chosen in its menu",
        "On this machine the restorer starts in its region",
        "never its default",
    ],
    REVIEW: ["Step 7 of 7", "Set up, once:", "2. keep kernel 6.1.192-khib", "< Set up", "< Hibernate now >"],
}


def test_a_new_machine_starts_with_the_welcome_and_one_that_is_set_up_at_home(tmp_path: Path) -> None:
    wizard = make(tmp_path, target="/dev/vdb1")
    wizard.begin()
    assert "What cannot go wrong" in shown(wizard.window)
    assert "Step 1 of 7" in press(wizard.window, "enter")
    set_up(tmp_path)
    wizard.begin()
    text = shown(wizard.window)
    assert "Hibernate now" in text and "Ready. Up to 846.9 MiB go to /dev/vdb1" in text


@pytest.mark.parametrize("step", range(7))
def test_a_page_shows_its_facts_on_80x24(tmp_path: Path, step: int) -> None:
    text = shown(at(tmp_path, step).window)
    assert [fact for fact in FACTS[step] if fact not in text] == []


@pytest.mark.filterwarnings("ignore::urwid.widget.WidgetWarning")
@pytest.mark.parametrize("step", range(7))
@pytest.mark.parametrize("room", [(40, 10), (20, 3), (1, 1)])
def test_no_page_crashes_on_any_size(tmp_path: Path, step: int, room: tuple[int, int]) -> None:
    wizard = make(tmp_path, "amd-laptop-ubuntu", size=room, target="/dev/nvme0n1p4")
    wizard.go(step)
    press(wizard.window, "tab", "down", "f1", "down", "esc", "tab", "f10", "esc")
    assert wizard.window.stack.depth == 0


@pytest.mark.parametrize("step", range(7))
def test_a_narrow_screen_still_leads_to_next(tmp_path: Path, step: int) -> None:
    wizard = make(tmp_path, size=(40, 10), target="/dev/vdb1")
    wizard.go(step)
    until(wizard.window, "Set up" if step == REVIEW else "Next")


@pytest.mark.parametrize("step", range(7))
def test_every_glyph_is_one_that_a_serial_terminal_has(tmp_path: Path, step: int) -> None:
    with set_temporary_encoding("ascii"):
        wizard = at(tmp_path, step, "amd-laptop-ubuntu", target="/dev/nvme0n1p4")
        text = shown(wizard.window) + press(wizard.window, "f1")
    assert text.isascii() and "?" not in text.replace("F1 or ?:", "")


@pytest.mark.parametrize("step", range(7))
def test_the_cursor_is_on_the_focus_wherever_tab_goes(tmp_path: Path, step: int) -> None:
    wizard = at(tmp_path, step)
    seen = []
    for _ in range(12):
        seen.append(at_cursor(wizard.window))
        press(wizard.window, "tab")
    assert any(text.startswith("Back") for text in seen), seen
    assert any(text.startswith(("Next", "Set up")) for text in seen), seen


@pytest.mark.parametrize("step", range(7))
def test_the_focus_is_seen_on_one_colour(tmp_path: Path, step: int) -> None:
    page = at(tmp_path, step).window.stack
    runs = resolve_runs(render_runs(page, (80, 24), focus=True), theme.PALETTE, colors=1)
    inside = [text for row in runs[1:-1] for spec, text in row if spec.standout]
    assert inside and "".join(inside).strip(), "nothing but header and footer stands out"


@pytest.mark.parametrize("step", range(7))
def test_f1_opens_the_help_of_the_page_and_esc_closes_it(tmp_path: Path, step: int) -> None:
    wizard = at(tmp_path, step)
    before = shown(wizard.window)
    helped = press(wizard.window, "f1")
    page = wizard.window.page
    assert isinstance(page, Page) and "+ Help" in helped and page.help.split()[0] in helped
    assert "Esc close" in helped.splitlines()[-1]
    assert press(wizard.window, "esc") == before


UNCONFIRMED = {
    KERNEL: ["shift tab", "down", "enter"],
    MEMORY: ["shift tab", "enter", "down", "enter"],
    TARGET: ["tab", "/", "a"],
    OPTIONS: ["shift tab", "enter", "down", "enter"],
    BOOT: ["shift tab", "down", "enter"],
    REVIEW: ["up", "down"],
}


@pytest.mark.parametrize("step", UNCONFIRMED)
def test_esc_goes_back_and_what_was_chosen_is_there_on_return(tmp_path: Path, step: int) -> None:
    wizard = at(tmp_path, step)
    before = shown(wizard.window)
    changed = press(wizard.window, *UNCONFIRMED[step])
    assert changed != before or step == REVIEW
    assert f"Step {step} of 7" in press(wizard.window, "esc")
    wizard.go(step)
    assert answers(shown(wizard.window)) == answers(changed)


def answers(text: str) -> list[str]:
    """What is chosen or written on a page."""
    return [line.strip(" :#|") for line in text.split("\n") if "(X)" in line or "(*)" in line or " v" in line]


def test_esc_on_the_first_page_asks_and_no_is_the_default(tmp_path: Path) -> None:
    wizard = at(tmp_path, CHECKS)
    assert "Welcome to khib" in press(wizard.window, "esc")
    assert "Leave khib?" in press(wizard.window, "esc")
    assert at_cursor(wizard.window).startswith("No")
    assert "Welcome to khib" in press(wizard.window, "enter") and wizard.window.stack.depth == 0
    press(wizard.window, "f10", "right")
    with pytest.raises(urwid.ExitMainLoop):
        press(wizard.window, "enter")
    assert wizard.window.code == Exit.CANCELLED


def test_answers_are_kept_when_going_back_and_forth(tmp_path: Path) -> None:
    wizard = at(tmp_path, TARGET, target="")
    until(wizard.window, "( ) /dev/vdb1", "down")
    press(wizard.window, "enter")
    until(wizard.window, "Next")
    press(wizard.window, "enter", "esc")
    assert wizard.settings.target == "/dev/vdb1"
    assert "(*) /dev/vdb1" in shown(wizard.window)


def test_hibernating_asks_first_and_no_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr(Wizard, "run", lambda _, task, opened: started.append(task))
    set_up(tmp_path)
    wizard = make(tmp_path, target="/dev/vdb1")
    wizard.begin()
    until(wizard.window, "Hibernate now", "down")
    text = " ".join(press(wizard.window, "enter").split())
    assert "save up to 846.9 MiB to /dev/vdb1" in text and at_cursor(wizard.window).startswith("No")
    press(wizard.window, "enter")
    assert not started
    press(wizard.window, "enter", "right", "enter")
    assert [type(step).__name__ for step in started[0].actions] == [
        type(step).__name__ for step in build.journey(decide(facts(), wizard.settings), Mode.SAVE)
    ]


def test_the_first_hibernation_sets_up_and_keeps_the_choices_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr(Wizard, "run", lambda _, task, opened: started.append(task))
    wizard = at(tmp_path, REVIEW)
    until(wizard.window, "Hibernate now")
    press(wizard.window, "enter", "right", "enter")
    names = [type(step).__name__ for step in started[0].actions]
    assert names == [
        "TakeTarget", "InstallSaver", "WriteBootEntry", "KeepSettings", "LoadSaver", "WriteBack", "TellDrivers", "Jump",
        "Unload", "CloseImage",
    ]  # fmt: skip


def test_a_refusal_before_a_run_is_shown_in_a_box(tmp_path: Path) -> None:
    wizard = at(tmp_path, REVIEW)
    wizard.reread = lambda: msgspec.structs.replace(facts(), mem_available=10 * MIB)
    until(wizard.window, "Hibernate now")
    text = press(wizard.window, "enter")
    assert "That cannot be done" in text and "[HIB-E-MEMORY]" in " ".join(text.split())


def test_the_wizard_has_the_steps_it_counts() -> None:
    assert len(STEPS) == 7


def test_answers_survive_a_kill_and_are_forgotten_once_they_are_not_wanted(tmp_path: Path) -> None:
    first = make(tmp_path)
    first.go(OPTIONS)
    press(first.window, *UNCONFIRMED[OPTIONS], "esc")
    set_up(tmp_path)
    again = make(tmp_path)
    again.begin()
    text = shown(again.window)
    assert again.settings == first.settings != again.kept
    assert "answers of the last time" in text and "Forget the changes" in text
    again.forget()
    assert again.settings == again.kept and "Forget" not in shown(again.window)
    third = make(tmp_path)
    third.begin()
    assert third.settings == third.kept
