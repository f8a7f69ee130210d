"""The memmap= parameters of a kernel command line."""

from __future__ import annotations

import re

from khib_tui.model import cmdline
from khib_tui.model.ranges import Ranges

RAM = "@"
RESERVED = "$"
EXACT = "exactmap"
_NUMBER = r"(0x[0-9a-f]+|[0-9]+)([kmgtpe]?)"
_SPAN = re.compile(rf"{_NUMBER}([@$]){_NUMBER}", re.IGNORECASE)
_UNITS = {letter: 1 << 10 * power for power, letter in enumerate(("", *"kmgtpe"))}


def exact(line: str) -> bool:
    """Return whether the kernel takes its memory from these parameters only."""
    return EXACT in _values(line)


def named(line: str, sign: str) -> Ranges:
    """Return the bytes that parameters of one kind name.

    :param sign: RAM, or RESERVED for what is to be left alone, like a bad page.
    """
    found = filter(None, map(_SPAN.fullmatch, _values(line)))
    parts = [(_bytes(item[4], item[5]), _bytes(item[1], item[2])) for item in found if item[3] == sign]
    return Ranges.of((start, start + count) for start, count in parts)


def _values(line: str) -> list[str]:
    words = map(cmdline.parameter, cmdline.split(line))
    return [part for name, value in words if name == "memmap" for part in (value or "").split(",")]


def _bytes(digits: str, unit: str) -> int:
    """Read a number as memparse() does: octal behind a zero."""
    base = 16 if digits[:2].lower() == "0x" else 8 if digits.startswith("0") else 10
    return int(digits, base) * _UNITS[unit.lower()]
