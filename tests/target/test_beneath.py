"""What lies between two bytes of a file or volume, wherever its pieces are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from khib_tui.target import beneath

SPANS = st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 12)).map(lambda pair: (pair[0], sum(pair))), max_size=6)


@given(SPANS, st.integers(0, 60), st.integers(0, 60))
def test_a_cut_has_just_the_bytes_between_in_their_order(spans: list[tuple[int, int]], start: int, end: int) -> None:
    every = [byte for low, high in spans for byte in range(low, high)]
    found = [byte for low, high in beneath.cut(spans, start, end) for byte in range(low, high)]
    assert found == every[start:end]
