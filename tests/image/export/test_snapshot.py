"""The memory as A's kernel saw it, in batches."""

from __future__ import annotations

from khib_tui.image.export.snapshot import batches
from khib_tui.model.ranges import Ranges


def test_batches_have_one_size_and_lose_nothing() -> None:
    spans = [(0, 10), (20, 21), (30, 95)]
    made = list(batches(spans, 16))
    assert [sum(end - start for start, end in batch) for batch in made] == [16, 16, 16, 16, 12]
    assert Ranges.of(span for batch in made for span in batch) == Ranges.of(spans)
