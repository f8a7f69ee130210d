"""Places and pieces in memory with holes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khib_tui.decide.place import TOP, first_place, gather, largest, largest_place
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import GIB, MIB


def mib(*spans: tuple[int, int]) -> Ranges:
    return Ranges.of((start * MIB, end * MIB) for start, end in spans)


@pytest.mark.parametrize(
    ("ranges", "count", "place"),
    [
        (mib((1, 1024)), 64, 16),
        (mib((1, 64), (65, 1024)), 64, 66),
        (mib((17, 82)), 64, 18),
        (mib((17, 81)), 64, None),
        (mib((1, 20), (4096, 9000)), 64, None),
        (mib((4090, 9000)), 8, None),
        (mib((4086, 9000)), 8, 4086),
        (Ranges(), 1, None),
    ],
)
def test_first_place(ranges: Ranges, count: int, place: int | None) -> None:
    found = first_place(ranges, count * MIB, 16 * MIB, 2 * MIB)
    assert found == (None if place is None else place * MIB)


def test_what_would_fit_is_told_with_its_alignment() -> None:
    assert largest_place(mib((1, 20), (33, 70), (80, 100)), 16 * MIB, 2 * MIB) == 36 * MIB
    assert largest_place(Ranges(), 0, 1) == 0


def test_the_largest_are_taken_in_order() -> None:
    ranges = mib((0, 1), (2, 8), (9, 12), (20, 24))
    assert largest(ranges, 2) == mib((2, 8), (20, 24))
    assert largest(ranges, 0) == largest(ranges, -3) == Ranges()


def test_pieces_grow_by_steps_until_there_is_enough() -> None:
    kernel = mib((16, 80))
    found = gather(mib((1, 100), (101, 1000)), kernel, 200 * MIB, most=3, block=48 * MIB, step=64 * MIB)
    assert found == mib((16, 100), (101, 256))


def test_too_many_small_pieces_are_left_out_for_larger_ones_behind() -> None:
    ram = mib((1, 80), (512, 1024)) | mib(*((at, at + 1) for at in range(81, 500, 2)))
    found = gather(ram, mib((16, 80)), 200 * MIB, most=2, block=48 * MIB, step=64 * MIB)
    assert found == mib((16, 80), (512, 704))


def test_one_piece_is_large_enough_for_what_is_loaded_with_the_kernel() -> None:
    ram = mib((1, 80), (81, 100), (101, 120), (121, 140), (200, 400))
    found = gather(ram, mib((16, 80)), 100 * MIB, most=9, block=48 * MIB, step=64 * MIB)
    assert found == mib((16, 80), (81, 100), (101, 120), (121, 140), (200, 256))


@given(
    st.lists(st.tuples(st.integers(82, 3000), st.integers(1, 500)), max_size=20),
    st.integers(100, 600),
    st.integers(1, 12),
)
def test_what_is_gathered_keeps_its_word(holes: list[tuple[int, int]], needed: int, most: int) -> None:
    kernel = mib((16, 80))
    ram = mib((1, 4000)) - mib(*((at, at + count) for at, count in holes))
    found = gather(ram, kernel, needed * MIB, most=most, block=48 * MIB, step=64 * MIB)
    if found is None:
        return
    assert ram.covers(found) and found.covers(kernel) and found.spans[0][0] == 16 * MIB
    assert found.total >= needed * MIB and len(found.spans) <= most
    assert max(end - start for start, end in found - kernel) >= 48 * MIB
    assert found.end <= min(TOP, 4 * GIB)
