"""Sizes and times, read and said."""

from __future__ import annotations

import pytest

from khib_tui.model.units import duration, parse_size, size


@pytest.mark.parametrize(("text", "count"), [("4096", 4096), ("240M", 240 << 20), ("1.5 GiB", 3 << 29), ("2k", 2048)])
def test_sizes_are_read(text: str, count: int) -> None:
    assert parse_size(text) == count


def test_sizes_and_times_are_said_as_people_read_them() -> None:
    assert [size(1), size(1536), size(1.4 * 2**30)] == ["1 byte", "1.5 KiB", "1.4 GiB"]
    assert [duration(1.23), duration(59.6), duration(75), duration(7500)] == ["1.2 s", "1 min 0 s", "1 min 15 s", "2 h 5 min"]
