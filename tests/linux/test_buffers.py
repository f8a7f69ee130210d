"""Aligned buffers."""

from __future__ import annotations

import pytest

from khib_tui.linux.buffers import Buffer
from khib_tui.model.units import KIB, PAGE


@pytest.mark.parametrize("count", [1, 1000, 64 * 1024, 300_001])
def test_a_buffer_takes_what_fits_and_nothing_else(count: int) -> None:
    source, buffer = memoryview(bytes(number % 251 for number in range(count + 7))), Buffer(512 * KIB)
    buffer.put(5, source[7:])
    assert bytes(buffer.view[: count + 25]) == bytes(5) + bytes(source[7:]) + bytes(20)
    assert buffer.address % PAGE == 0
    for at in (-1, 512 * KIB - count + 1):
        with pytest.raises(ValueError, match="do not fit"):
            buffer.put(at, source[7:])
