"""The headers of a vmcore."""

from __future__ import annotations

import pytest

from khib_tui.errors import ImageError
from khib_tui.formats import vmcore
from khib_tui.model.units import PAGE


def test_many_segments_use_extended_numbering() -> None:
    made = [vmcore.MemoryRun(number * 2 * PAGE, 0, PAGE) for number in range(70000)]
    placed = vmcore.place(made, 0)
    head = vmcore.header(placed, b"", 0)
    assert vmcore.headers_end(head) <= len(head)
    assert [item.run for item in vmcore.parse(head)] == made


@pytest.mark.parametrize(
    "bad", [vmcore.MemoryRun(1, 0, PAGE), vmcore.MemoryRun(0, 2 * PAGE, PAGE), vmcore.MemoryRun(0, 0, PAGE + 1)]
)
def test_impossible_segments_are_refused(bad: vmcore.MemoryRun) -> None:
    head = vmcore.header([vmcore.Placed(bad, 2 * PAGE)], b"", 0)
    with pytest.raises(ImageError):
        vmcore.parse(head)
