"""Memory as A saw it."""

from __future__ import annotations

from khib_tui.model.ranges import Ranges
from khib_tui.model.units import PAGE
from khib_tui.pagefilter.view import Shadows, Swapped


def test_moving_keeps_what_was_not_swapped() -> None:
    shadows = Shadows((Swapped(4 * PAGE, 40 * PAGE, 2 * PAGE),))
    moved = shadows.move(Ranges.of([(3 * PAGE, 5 * PAGE), (50 * PAGE, 51 * PAGE)]))
    assert moved == Ranges.of([(3 * PAGE, 4 * PAGE), (40 * PAGE, 41 * PAGE), (50 * PAGE, 51 * PAGE)])
