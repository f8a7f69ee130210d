"""docs/faults.md: every known fault has a row, and every row a test or a reason."""

from __future__ import annotations

import re

from tests.kit import ROOT

FIELD = (1, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 16, 17, 18, 19, 20, 21, 22, 23, 25, 26, 27, 28, 29, 31, 32, 34)
KNOWN = [
    *(f"R{number}" for number in range(1, 21)), *(f"F{number:02}" for number in FIELD),
    *(f"I{number}" for number in range(1, 17)), *(f"U{number}" for number in (1, 2, 3, 5, 9, 12)),
]  # fmt: skip
ROWS = re.findall(r"^\| ([RFIU]\d+) \| [^|]+ \| ([^|]+) \|$", (ROOT / "docs/faults.md").read_text(), re.MULTILINE)


def test_every_fault_has_one_row() -> None:
    assert [number for number, _ in ROWS] == KNOWN


def test_every_row_has_tests_that_are_there_or_a_reason() -> None:
    for number, held in ROWS:
        tests = re.findall(r"`(tests/[^`]+)`", held)
        assert tests or re.search(r"\*open\*: \w+", held), number
        assert all((ROOT / name).is_file() and "def test_" in (ROOT / name).read_text() for name in tests), (number, tests)
