"""Ranges against plain Python sets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from khib_tui.model.ranges import Ranges

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


def numbers(ranges: Ranges) -> set[int]:
    return {number for start, end in ranges for number in range(start, end)}


@given(SPANS, SPANS)
def test_algebra_is_that_of_sets(left: list[tuple[int, int]], right: list[tuple[int, int]]) -> None:
    one, two = Ranges.of(left), Ranges.of(right)
    assert numbers(one | two) == numbers(one) | numbers(two)
    assert numbers(one & two) == numbers(one) & numbers(two)
    assert numbers(one - two) == numbers(one) - numbers(two)
    assert one.covers(two) == (numbers(two) <= numbers(one))
    assert one.total == len(numbers(one))


@given(SPANS)
def test_a_set_has_one_form(spans: list[tuple[int, int]]) -> None:
    ranges = Ranges.of(spans)
    assert Ranges.of(reversed(ranges.spans)) == ranges
    assert all(before[1] < after[0] for before, after in zip(ranges.spans, ranges.spans[1:], strict=False))


@given(SPANS, st.integers(1, 7))
def test_inward_keeps_whole_units_only(spans: list[tuple[int, int]], unit: int) -> None:
    ranges = Ranges.of(spans)
    inner = ranges.inward(unit)
    assert ranges.covers(inner)
    assert all(start % unit == end % unit == 0 for start, end in inner)
