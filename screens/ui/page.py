"""What every page has: a title, a body, a line for messages, buttons, and a footer with the keys that are valid now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import urwid
from urwid.widget import AbstractBoxWidget, AbstractFlowWidget

from khib_tui.events.types import Failure, Level
from khib_tui.i18n import _
from screens.ui import keys, widgets
from screens.ui.keys import Key
from screens.ui.shown import Text, shown
from screens.ui.widgets import Choices, Size
from screens.ui.window import Window

PageFrame = urwid.Frame[AbstractBoxWidget, AbstractFlowWidget, AbstractFlowWidget]
TOP = 1  # column and row of the body
SHADES = {urwid.Severity.INFO: "ok", urwid.Severity.WARNING: "warning", urwid.Severity.ERROR: "blocker"}
LEVELS = {Level.INFO: urwid.Severity.INFO, Level.WARNING: urwid.Severity.WARNING, Level.ERROR: urwid.Severity.ERROR}


class Page(urwid.WidgetWrap[PageFrame]):
    """A page: subclasses give title, help and keys, and make the body. `intro` stands before the help.

    They are marked by `N_` and translated when they are shown.

    :param note: shown at the right of the title.
    :param focus: which button is in focus first; None puts the focus on the body.
    """

    title = ""
    intro = ""
    help = ""
    keys: Sequence[Key] = keys.PAGE

    def __init__(
        self, window: Window, body: AbstractBoxWidget, choices: Choices = (), *, note: str = "", focus: int | None = 0
    ) -> None:
        self.window = window
        self.status = urwid.Notifications(max_count=1, timeout=None, severity_attr=SHADES)
        self.buttons = widgets.button_row(choices, focus or 0) if choices else None
        below: list[AbstractFlowWidget] = [self.status, *([self.buttons] if self.buttons else [])]
        self.pile = widgets.stacked(body, below, 2 if self.buttons and focus is not None else 0)
        self.bar = widgets.Footer(self.keys)
        shown = "  ".join(filter(None, (window.banner, note)))
        header = urwid.Columns([Text(f" {_(self.title)}", wrap="clip"), ("pack", Text(f"{shown} "))])
        inside = urwid.Padding(self.pile, left=1, right=1)
        super().__init__(urwid.Frame(inside, urwid.AttrMap(header, "header"), urwid.AttrMap(self.bar, "footer")))

    def help_text(self) -> str:
        """Return what the help says of this page."""
        return " ".join(_(text) for text in (self.intro, self.help) if text)

    def show_keys(self, valid: Sequence[Key]) -> None:
        """Show these keys in the footer."""
        self.bar.show(valid)

    def tell(self, text: str, level: Level = Level.INFO) -> None:
        """Show a message until the next key."""
        self.status.notify(shown(text), severity=LEVELS[level])

    def refuse(self, error: BaseException) -> None:
        """Show an error's own sentence until the next key."""
        self.tell(Failure.of(error).text, Level.ERROR)

    def back(self) -> None:
        """Go back, changing nothing."""

    def leave(self) -> None:
        """Leave the program, after a question."""
        self.window.ask_leave()

    def render(self, size: Any, focus: bool = False) -> urwid.Canvas:
        """Draw the page; where its focus was scrolled out of sight, the cursor stands where reading goes on."""
        drawn = super().render(size, focus)
        if not focus or drawn.cursor is not None or size[1] < TOP + 2:
            return drawn
        marked = urwid.CompositeCanvas(drawn)
        marked.cursor = (TOP, TOP)
        return marked

    def keypress(self, size: Size, key: str) -> str | None:
        """Give the key to the body and the buttons, and take what they leave."""
        self.status.clear()
        left: str | None = super().keypress(size, key)
        if left is None:
            return None
        return None if self.command(keys.find(left, self.keys)) else left

    def command(self, key: Key | None) -> bool:
        """Do what a key of the table stands for; False if it is none."""
        match key:
            case Key.HELP:
                self.window.show_help(self.help_text(), self.keys)
            case Key.BACK:
                self.back()
            case Key.LEAVE:
                self.leave()
            case Key.REDRAW:
                self.window.redraw()
            case Key.LOG:
                self.window.show_logs()
            case _:
                return False
        return True
