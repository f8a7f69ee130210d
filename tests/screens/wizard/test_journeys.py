"""The wizard around journeys: what is asked and kept, one choice at a time, the log on every page."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from khib_tui.events.types import Message
from khib_tui.handover.handover import Mode
from khib_tui.model.journey import End, Journey, Rung
from khib_tui.model.units import GIB
from khib_tui.plan import log
from khib_tui.plan.journal import Journal
from khib_tui.plan.task import Ending, Task, task_of
from screens.wizard.app import Wizard
from screens.wizard.settings import SettingsPage
from tests.kit.screens_kit import OPTIONS, TARGET, at, at_cursor, facts, make, press, set_up, shown, until


@pytest.fixture
def wizard(tmp_path: Path) -> Wizard:
    """A wizard on a machine that is set up."""
    set_up(tmp_path)
    made = make(tmp_path, target="/dev/vdb1")
    made.home()
    return made


def task(wizard: Wizard, mode: Mode) -> Task:
    return task_of(wizard.machine, wizard.settings, wizard.path, mode)


@pytest.mark.parametrize(("keys", "seen"), [(("left", "left", "enter"), True), (("left", "enter"), False), (("enter",), None)])
def test_after_a_jump_it_is_asked_whether_the_saver_was_seen(wizard: Wizard, keys: tuple[str, ...], seen: bool | None) -> None:
    journal = Journal.beside(wizard.path)
    journal.put(Journey(Rung.JUMP, 1.0, end=End.WELL))
    wizard.arrived(task(wizard, Mode.REHEARSE), Ending("This system is back", "rehearsed"))
    assert "Did you see the saver's screen" in shown(wizard.window)
    text = press(wizard.window, *keys)
    assert [item.seen for item in journal.all()] == [seen]
    assert ("text console" in text) is (seen is False)


@pytest.mark.parametrize(("mode", "code"), [(Mode.SAVE, 0), (Mode.REHEARSE, 5)])
def test_after_a_hibernation_or_a_failure_nothing_is_asked(wizard: Wizard, mode: Mode, code: int) -> None:
    wizard.arrived(task(wizard, mode), Ending("x", "y", code))
    assert "Did you see" not in shown(wizard.window)


def test_before_a_hibernation_all_that_matters_is_said(wizard: Wizard) -> None:
    here = msgspec.structs.replace(facts(), battery_percent=41.0, on_ac=False)
    wizard.reread = lambda: here
    wizard.travel(Mode.SAVE)
    text = " ".join(shown(wizard.window).replace("|", " ").split())
    assert "a rehearsal that saves shows it" in text and "never rehearsed on this machine" in text
    assert "Battery: 41 %, not plugged in." in text and "Room: /dev/vdb1 has" in text
    press(wizard.window, "esc")
    kernel = here.kernels[0].release
    Journal.beside(wizard.path).put(Journey(
        Rung.SAVE, 1_700_000_000.0, release=here.release, saver=kernel, end=End.WELL, image_bytes=GIB, save_seconds=10.0,
        target="/dev/vdb1",
    ))  # fmt: skip
    wizard.travel(Mode.SAVE)
    text = " ".join(shown(wizard.window).replace("|", " ").split())
    assert "Likely 1.0 GiB, written in about 10 s, going by the last one." in text and "Last rehearsed well on 2023" in text


def test_one_choice_is_changed_alone_and_comes_into_force_with_set_up(wizard: Wizard) -> None:
    wizard.choices()
    until(wizard.window, "  When it is written", "down")
    text = press(wizard.window, "enter")
    assert "Settings" in text.splitlines()[0] and "Options" in text.splitlines()[0] and "< Keep" in text
    press(wizard.window, "shift tab")
    until(wizard.window, "power off", "shift tab")
    press(wizard.window, "enter", "down", "enter")
    until(wizard.window, "Keep")
    text = press(wizard.window, "enter")
    assert "* When it is written: restart" in text and wizard.settings != wizard.kept
    assert isinstance(wizard.window.page, SettingsPage) and not wizard.editing
    until(wizard.window, "Forget the changes")
    press(wizard.window, "enter")
    assert wizard.settings == wizard.kept


def test_esc_on_one_choice_leads_back_to_all(wizard: Wizard) -> None:
    wizard.choices()
    wizard.edit(TARGET)
    press(wizard.window, "esc")
    assert isinstance(wizard.window.page, SettingsPage)
    wizard.edit(OPTIONS)
    press(wizard.window, "esc", "esc")
    assert "Hibernate now" in shown(wizard.window)
    wizard.go(OPTIONS)
    assert f"Step {OPTIONS + 1} of" in shown(wizard.window)


@pytest.mark.parametrize("key", ["f8", "ctrl g"])
def test_the_log_is_over_every_page_and_esc_closes_it(tmp_path: Path, key: str) -> None:
    wizard = at(tmp_path, OPTIONS)
    before = shown(wizard.window)
    assert "Nothing was run yet" in press(wizard.window, key)
    assert press(wizard.window, "esc") == before
    for name in ("2026-11-24T100000-jump", "2026-11-25T100000-trip"):
        path = tmp_path / "khib.state" / log.FOLDER / f"{name}{log.SUFFIX}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"line {number} of {name}\x1b[2J\n" for number in range(60)))
    text = press(wizard.window, key)
    assert "Log 1 of 2: 2026-11-25T100000-trip" in text and "line 59 of 2026-11-25" in text and "\x1b" not in text
    until(wizard.window, "Older")
    text = press(wizard.window, "enter")
    assert "Log 2 of 2: 2026-11-24T100000-jump" in text and "line 59 of 2026-11-24" in text
    assert press(wizard.window, "enter") == text, "there is none that is older"
    until(wizard.window, "Newer")
    assert "Log 1 of 2" in press(wizard.window, "enter")
    assert press(wizard.window, "esc") == before


def test_a_log_that_is_gone_says_why(tmp_path: Path) -> None:
    wizard = make(tmp_path)
    with log.kept(tmp_path / "khib.state", "trip") as written:
        written(Message("x"))
    (name, read) = wizard.window.logs()[0]
    log.listed(tmp_path / "khib.state")[0].unlink()
    assert name.endswith("-trip") and "No such file" in read()[0]


def test_the_echo_is_run_as_the_others_are(wizard: Wizard, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr(wizard, "run", started.append)
    wizard.rehearse()
    assert at_cursor(wizard.window).startswith("1. Rehearse echo")
    press(wizard.window, "enter")
    assert [type(item).__name__ for item in started] == ["EchoTask"]
    wizard.reread = lambda: msgspec.structs.replace(facts(), kallsyms=False)
    assert "[HIB-E-KALLSYMS]" in press(wizard.window, "enter") and len(started) == 1
