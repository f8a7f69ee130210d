"""The page of checks."""

from __future__ import annotations

from pathlib import Path

from tests.kit.screens_kit import (
    CHECKS,
    at,
    at_cursor,
    facts,
    press,
    shown,
    until,
)


def test_checks_start_at_next_if_all_is_well_and_at_the_first_blocker_if_not(tmp_path: Path) -> None:
    assert at_cursor(at(tmp_path, CHECKS).window).startswith("Next")
    wizard = at(tmp_path, CHECKS, "workstation-fedora-locked")
    assert at_cursor(wizard.window).startswith("[STOP] the kernel is locked down")


def test_next_is_refused_while_a_blocker_stands_until_retry_finds_it_solved(tmp_path: Path) -> None:
    wizard = at(tmp_path, CHECKS, "laptop-debian")
    until(wizard.window, "Next")
    text = press(wizard.window, "enter")
    assert "Step 1 of 7" in text and "has no CONFIG_KEXEC_JUMP" in text and "[HIB-E-KEXEC-JUMP]" in text
    wizard.reread = facts
    until(wizard.window, "Retry")
    assert "This machine can hibernate" in press(wizard.window, "enter")
    assert "Step 2 of 7" in press(wizard.window, "enter")


def test_what_is_fine_is_folded_until_it_is_wanted(tmp_path: Path) -> None:
    wizard = at(tmp_path, CHECKS, "workstation-fedora-locked")
    assert "[ ok ]" not in shown(wizard.window)
    for _ in range(12):
        press(wizard.window, "down")
        if "are fine: show all" in at_cursor(wizard.window):
            break
    assert "[ ok ]" in press(wizard.window, "enter") and "show all" not in shown(wizard.window)
