"""All keys that mean something by themselves: the footer, the help and the pages use this one table."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from khib_tui.i18n import N_, _


class Key(Enum):
    """A key: what the terminal calls it, how it is written, what the footer and the help say it does."""

    CHOOSE = (("enter", " "), "Enter", N_("choose"), N_("Enter or Space: press the button, choose the line"))
    FIELD = (("tab", "shift tab"), "Tab", N_("next field"), N_("Tab, Shift-Tab: go to the next or former field"))
    SCROLL = (("up", "down", "page up", "page down"), N_("Up/Down"), N_("move"), N_("arrows, PgUp, PgDn: move and scroll"))
    BACK = (("esc",), "Esc", N_("back"), N_("Esc: back, changing nothing"))
    STOP = (("esc", "ctrl c"), "Esc", N_("stop and go back"), N_("Esc: stop this and go back"))
    HOLD = (("esc",), "Esc", N_("stop the countdown"), N_("Esc or any other key: stop the countdown"))
    CLOSE = (("esc",), "Esc", N_("close"), N_("Esc: close this"))
    HELP = (("f1", "?"), "F1", N_("help"), N_("F1 or ?: this help"))
    LOG = (("f8", "ctrl g"), "F8", N_("log"), N_("F8 or Ctrl-G: what was done, line by line"))
    REDRAW = (("f3", "ctrl l"), "F3", N_("redraw"), N_("F3 or Ctrl-L: draw the screen anew"))
    LEAVE = (("f10", "ctrl x", "ctrl c"), "F10", N_("leave"), N_("F10, Ctrl-X or Ctrl-C: leave (asks first)"))

    def __init__(self, names: tuple[str, ...], label: str, short: str, text: str) -> None:
        self.names = names
        self.label = label
        self.short = short
        self.text = text


# The most needed first: a narrow screen shows no more.
PAGE = (Key.CHOOSE, Key.BACK, Key.HELP, Key.FIELD, Key.LEAVE, Key.LOG)
LIST = (Key.CHOOSE, Key.BACK, Key.HELP, Key.FIELD, Key.SCROLL, Key.LEAVE, Key.LOG)
DIALOG = (Key.CHOOSE, Key.CLOSE, Key.FIELD)
LOG = (Key.CHOOSE, Key.CLOSE, Key.SCROLL, Key.FIELD)
NOTHING = (Key.REDRAW,)


def footer(valid: Sequence[Key], columns: int = 0) -> str:
    """Format the keys that are valid now, in a line.

    :param columns: that the line may have: what does not fit is left out whole; 0 for all.
    """
    line = ""
    for key in valid:
        said = f"{_(key.label)} {_(key.short)}"
        longer = f"{line}  {said}" if line else f" {said}"
        if columns and len(longer) > columns:
            break
        line = longer
    return line


def find(name: str, valid: Sequence[Key]) -> Key | None:
    """Return the key that the terminal calls `name` if it is valid now; redrawing always is."""
    return next((key for key in (*valid, Key.REDRAW) if name in key.names), None)


def listing(valid: Sequence[Key]) -> str:
    """Explain the valid keys, a line each, for the help."""
    return "\n".join(_(key.text) for key in dict.fromkeys((*valid, Key.REDRAW)))
