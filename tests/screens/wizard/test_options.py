"""The page of options."""

from __future__ import annotations

from pathlib import Path

from khib_tui.model.choices import After, CodecChoice
from tests.kit.screens_kit import (
    OPTIONS,
    at,
    press,
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
