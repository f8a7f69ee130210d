"""The page before the machine is set up."""

from __future__ import annotations

from pathlib import Path

from khib_tui.decide.choice import decide
from khib_tui.handover.handover import Mode
from khib_tui.plan import build
from tests.kit.screens_kit import (
    REVIEW,
    at,
    at_cursor,
    facts,
    press,
    shown,
)


def test_the_review_shows_the_steps_word_for_word_and_starts_at_set_up(tmp_path: Path) -> None:
    wizard = at(tmp_path, REVIEW)
    wizard.window.loop.screen.size = (80, 60)  # type: ignore[attr-defined]
    wizard.window.redraw()
    text = "".join(shown(wizard.window).split())
    choice = decide(facts(), wizard.settings)
    for step in build.describe([*build.setup(choice, wizard.path), *build.journey(choice, Mode.SAVE)]):
        assert "".join(step.text.split()) in text
    assert at_cursor(wizard.window).startswith("Set up")


def test_a_review_that_is_refused_says_why_and_offers_no_journey(tmp_path: Path) -> None:
    wizard = at(tmp_path, REVIEW, target="/dev/vda1")
    text = press(wizard.window, "enter")
    assert "/dev/vda1 is mounted at /" in text and "Hibernate now" not in text and "Step 7 of 7" in text
