"""Typing on the emulated computer's own keyboard, by the places of the keys, instead of on its serial line."""

from __future__ import annotations

import time
from pathlib import Path

from khib_tui.lab import monitor

# QEMU names a key by what an American keyboard has there.
_NAMES = {
    "\n": "ret",
    " ": "spc",
    ";": "semicolon",
    "'": "apostrophe",
    "[": "bracket_left",
    "-": "minus",
    "/": "slash",
    "\x1b": "esc",
}
_PAUSE = 0.3


def press(directory: Path, keys: str) -> None:
    """Press keys one by one.

    :param directory: that of the machine.
    :param keys: what an American keyboard has in their places: letters, digits, blank, end of line and `;'[-/`.
    :raises OSError: the monitor does not answer.
    """
    for key in keys:
        monitor.ask(directory, f"sendkey {_NAMES.get(key, key)}")
        time.sleep(_PAUSE)
