"""The wizard on the facts of another machine: everything is shown, nothing is applied."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.handover.handover import Mode
from khib_tui.model.settings import Settings
from screens.ui.window import Window
from screens.wizard.app import READ_ONLY, STEPS, Wizard
from tests.kit.screens_kit import DrivenScreen, facts, press, set_up, shown


@pytest.fixture
def wizard(tmp_path: Path) -> Wizard:
    """A wizard with facts of another machine, on one that is set up itself."""
    set_up(tmp_path)
    settings = Settings(boot_dir=str(tmp_path), target="/dev/vdb1")
    return Wizard(Window(DrivenScreen()), facts(), settings, tmp_path / "khib.toml", facts, read_only=True)


@pytest.mark.parametrize("step", range(len(STEPS)))
def test_each_page_says_so_in_its_header(wizard: Wizard, step: int) -> None:
    wizard.go(step)
    first = shown(wizard.window).splitlines()[0]
    assert READ_ONLY in first and f"Step {step + 1} of" in first


def test_it_begins_with_the_welcome_whatever_is_set_up_here(wizard: Wizard) -> None:
    wizard.begin()
    assert "Welcome to khib" in shown(wizard.window) and not wizard.ready


@pytest.mark.parametrize("mode", [None, *Mode])
def test_nothing_is_set_up_rehearsed_or_saved(
    wizard: Wizard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: Mode | None
) -> None:
    monkeypatch.setattr(wizard, "run", lambda *_: 1 / 0)
    before = sorted(tmp_path.rglob("*"))
    wizard.begin()
    wizard.travel(mode)
    assert "another machine" in shown(wizard.window) and sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("page", ["images", "seal"])
def test_neither_images_nor_the_seal_of_this_machine_are_touched(wizard: Wizard, page: str) -> None:
    wizard.begin()
    getattr(wizard, page)()
    assert "another machine" in shown(wizard.window)
    assert "Welcome to khib" in press(wizard.window, "enter")


def test_on_this_machine_the_header_says_nothing(tmp_path: Path) -> None:
    own = Wizard(Window(DrivenScreen()), facts(), Settings(boot_dir=str(tmp_path)), tmp_path / "khib.toml", facts)
    own.begin()
    assert READ_ONLY not in shown(own.window)
