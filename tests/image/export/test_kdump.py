"""An export as kdump."""

from __future__ import annotations

import random

from khib_tui.image.export import kdump
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import PAGE


def test_bitmaps_have_the_lowest_page_first() -> None:
    noise = random.Random(1)
    for _ in range(200):
        spans = [(at, at + noise.randrange(40)) for at in (noise.randrange(200) for _ in range(4))]
        made = kdump.bitmap(Ranges.of((start * PAGE, end * PAGE) for start, end in spans), 32)
        pages = {page for start, end in spans for page in range(start, end)}
        assert made == sum(1 << page for page in pages if page < 256).to_bytes(32, "little")
