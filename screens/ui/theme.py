"""Colours, what stands for them on one colour, and the terminal they are drawn on."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

import urwid
from urwid.display import raw

# Name, foreground, background, and what is drawn on one colour.
PALETTE = [
    ("header", "white", "dark blue", "standout"),
    ("footer", "black", "light gray", "standout"),
    ("focus", "black", "dark cyan", "standout"),
    ("heading", "default,bold", "default", "bold"),
    ("ok", "dark green", "default", "default"),
    ("warning", "brown,bold", "default", "bold"),
    ("blocker", "light red,bold", "default", "bold"),
    ("dim", "default", "default", "default"),
    ("edit", "default,underline", "default", "underline"),
    ("bar", "default", "default", "default"),
    ("bar done", "black", "dark green", "standout"),
    ("dialog", "default", "default", "default"),
]
BOX = {
    "tlcorner": "+", "tline": "-", "trcorner": "+", "lline": "|", "rline": "|", "blcorner": "+", "bline": "-",
    "brcorner": "+",
}  # fmt: skip
# Lets an arrow key of a slow line arrive whole, and a lone Esc be known as one.
SLOW_LINE = 0.5
NEAR_LINE = 0.2
_BLANKS = re.compile(r" +(\x1b\[K)")


def simple(environ: Mapping[str, str]) -> bool:
    """Return whether the terminal is an old one or a serial line: one colour, ASCII, no questions to it."""
    term = environ.get("TERM", "")
    return not term or term.startswith(("vt", "ansi", "dumb", "unknown"))


def short(data: str) -> str:
    """Leave out blanks of no colour before what erases the rest of the row."""
    return _BLANKS.sub(r"\1", data)


class Terminal(raw.Screen):
    """The terminal; Ctrl-C is a key like any other, and a simple one is not asked what it can do."""

    def __init__(self) -> None:
        super().__init__(bracketed_paste_mode=False, focus_reporting=False)
        self.simple = simple(os.environ)
        self.set_input_timeouts(complete_wait=SLOW_LINE if self.simple else NEAR_LINE)
        if self.simple:
            self.set_terminal_properties(colors=1)
            urwid.set_encoding("ascii")

    def write(self, data: str) -> None:
        """Send text; down a slow line without the blanks that erasing the rest of the row makes anyway."""
        super().write(short(data) if self.simple else data)

    def _start(self, alternate_buffer: bool = True, *args: object, **kwargs: object) -> None:
        super()._start(alternate_buffer, *args, **kwargs)
        self.tty_signal_keys(intr="undefined", quit="undefined")

    def _detect_terminal_modes(self) -> None:
        if not self.simple:
            super()._detect_terminal_modes()
