"""Pages that are in use are never left out."""

from __future__ import annotations

import pytest

from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB, PAGE
from khib_tui.pagefilter import leftout
from khib_tui.pagefilter.view import Doubt, Shadows, Swapped


def test_pages_known_to_be_in_use_are_never_called_free() -> None:
    shadows = Shadows((Swapped(16 * MIB, 64 * MIB, PAGE),))
    with pytest.raises(Doubt, match="region"):
        leftout.refuse_used(Ranges.of([(63 * MIB, 65 * MIB)]), shadows, ())
    with pytest.raises(Doubt, match="in use"):
        leftout.refuse_used(Ranges.of([(63 * MIB, 64 * MIB)]), shadows, (63 * MIB + 8,))
    leftout.refuse_used(Ranges.of([(63 * MIB, 64 * MIB)]), shadows, (65 * MIB,))
