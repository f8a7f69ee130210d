"""The page of options."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from khib_tui.model.choices import After, CodecChoice
from screens.wizard.app import Wizard
from tests.kit.screens_kit import (
    OPTIONS,
    at,
    at_cursor,
    facts,
    press,
    shown,
    until,
)


def test_options_give_new_settings(tmp_path: Path) -> None:
    wizard = at(tmp_path, OPTIONS)
    before = wizard.settings
    until(wizard.window, "auto")
    press(wizard.window, "enter", "down", "down", "enter", "tab", "enter", "down", "enter", "tab", " ")
    until(wizard.window, "Next")
    press(wizard.window, "enter")
    after = wizard.settings
    assert (after.codec, after.after, after.verify) == (CodecChoice.ZSTD, After.REBOOT, True)
    assert (before.codec, before.after, before.verify) == (CodecChoice.AUTO, After.POWEROFF, False)
    assert after.target == before.target


def at_field(tmp_path: Path, label: str, **given: object) -> Wizard:
    """A wizard on the page of options, on the field beside a label."""
    wizard = at(tmp_path, OPTIONS, msgspec.structs.replace(facts(), **given))
    for _ in range(12):
        press(wizard.window, "tab")
        row = next((line for line in shown(wizard.window).split("\n") if label in line), "")
        if at_cursor(wizard.window) and at_cursor(wizard.window) in row:
            return wizard
    raise AssertionError(shown(wizard.window))


@pytest.mark.parametrize(("typed", "taken"), [("07:30", True), ("8h", True), ("soon", False), ("", True)])
def test_a_time_to_wake_is_taken_or_refused_in_the_engines_words(tmp_path: Path, typed: str, taken: bool) -> None:
    wizard = at_field(tmp_path, "Wake by itself:")
    press(wizard.window, *typed)
    until(wizard.window, "Next")
    text = press(wizard.window, "enter")
    assert (f"Step {OPTIONS + 2} of" in text) is taken and ("[HIB-E-WAKE-TIME]" in text) is not taken
    assert wizard.settings.wake == (typed if taken else "")


@pytest.mark.parametrize("systemd", [True, False])
def test_lid_and_menu_are_given_to_khib_where_systemd_has_them(tmp_path: Path, systemd: bool) -> None:
    wizard = at_field(tmp_path, "Lid and menu:", systemd=systemd)
    press(wizard.window, " ")
    until(wizard.window, "Next")
    text = press(wizard.window, "enter")
    assert wizard.settings.desktop is systemd and ("[HIB-E-DESKTOP]" in text) is not systemd
