"""Texts as they are drawn: what others wrote cannot steer the terminal, and every character keeps to its columns."""

from __future__ import annotations

from typing import Any

import urwid
from urwid.util import get_encoding

from khib_tui.model.text import encodable, visible_lines


def shown(markup: Any) -> Any:
    """Return a text or urwid's markup of texts with nothing in it but ends of lines, and letters and signs that
    the terminal has."""
    if isinstance(markup, str):
        return encodable(visible_lines(markup), get_encoding())
    if isinstance(markup, tuple):
        return (markup[0], shown(markup[1]))
    return [shown(part) for part in markup] if isinstance(markup, list) else markup


class Text(urwid.Text):
    """A text."""

    def set_text(self, markup: Any) -> None:
        """Show another text."""
        super().set_text(shown(markup))


class Line(urwid.SelectableIcon):
    """A text that takes the focus and the cursor."""

    def set_text(self, markup: Any) -> None:
        """Show another text."""
        super().set_text(shown(markup))
