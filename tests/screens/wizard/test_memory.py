"""The page of the region."""

from __future__ import annotations

from pathlib import Path

import msgspec

from khib_tui.decide import region
from khib_tui.model.units import MIB, size
from screens.wizard.memory import MORE, least, sizes
from tests.kit.screens_kit import (
    MEMORY,
    at,
    facts,
    press,
    shown,
    until,
)


def test_a_region_that_cannot_be_is_refused_in_the_engines_words(tmp_path: Path) -> None:
    wizard = at(tmp_path, MEMORY)
    settings = wizard.settings
    until(wizard.window, "what the kernel needs")
    text = press(wizard.window, "enter", "end", "enter")
    sentence = "more than half of this machine's"
    assert size(least(wizard) + MORE[-1]) in text and sentence in " ".join(text.split())
    until(wizard.window, "Next")
    assert "Step 3 of 7" in press(wizard.window, "enter") and wizard.settings is settings


def test_another_region_is_shown_and_taken(tmp_path: Path) -> None:
    wizard = at(tmp_path, MEMORY)
    until(wizard.window, "what the kernel needs")
    text = press(wizard.window, "enter", "down", "down", "enter")
    chosen = region.choose(facts(), facts().kernels[0], least(wizard) + MORE[1])
    assert size(chosen.own.total) in text
    until(wizard.window, "Next")
    press(wizard.window, "enter")
    assert wizard.settings.region == least(wizard) + MORE[1]


def test_too_little_free_memory_is_told(tmp_path: Path) -> None:
    poor = msgspec.structs.replace(facts(), mem_available=100 * MIB)
    text = " ".join(shown(at(tmp_path, MEMORY, poor).window).split())
    assert "Not now: loading the saver needs 192.6 MiB of free memory, 100.0 MiB is free" in text


def test_sizes_begin_with_what_the_kernel_needs(tmp_path: Path) -> None:
    wizard = at(tmp_path, MEMORY)
    assert f"what the kernel needs (from {size(least(wizard))})" in shown(wizard.window)
    assert sizes(wizard)[1] > least(wizard) > 0
