"""Boxes over a page: a question, a text to read, a word to type. Esc closes each, changing nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import urwid
from urwid.widget import AbstractBoxWidget, AbstractFlowWidget

from khib_tui.i18n import _
from screens.ui import keys, widgets
from screens.ui.keys import Key
from screens.ui.secrets import SecretFields
from screens.ui.shown import Text, shown
from screens.ui.widgets import Choices, Press, Size

WIDTH = 72


class Dialog(urwid.WidgetWrap[urwid.LineBox[AbstractBoxWidget]]):
    """A box with a text that scrolls if it must, perhaps a field, and buttons."""

    keys: Sequence[Key] = keys.DIALOG
    closable = True

    def __init__(
        self, room: tuple[int, int], title: str, text: str, below: Sequence[AbstractFlowWidget], focus: int = 0
    ) -> None:
        columns, rows = room
        self.width = max(min(WIDTH, columns), 4)
        shown = Text(text)
        inner = (max(self.width - 3, 1),)
        needed = shown.rows(inner) + 2 + sum(widget.rows(inner) for widget in below)
        self.height = max(min(needed, rows), 3)
        fits = needed <= rows
        main: AbstractBoxWidget = urwid.Filler(shown, "top") if fits else widgets.listed([shown])
        self.pile = widgets.stacked(main, below, focus)
        super().__init__(widgets.boxed(self.pile, title))


class Wait(Dialog):
    """Says what is being done; goes away by itself."""

    keys = keys.NOTHING
    closable = False

    def __init__(self, room: tuple[int, int], text: str) -> None:
        super().__init__(room, "", text, [])


class Question(Dialog):
    """A text with buttons below it."""

    def __init__(self, room: tuple[int, int], title: str, text: str, choices: Choices, focus: int = 0) -> None:
        super().__init__(room, title, text, [urwid.Divider(), widgets.button_row(choices, focus)], focus=2)


class Typed(Dialog):
    """Asks for a word to be typed before something is discarded."""

    def __init__(self, room: tuple[int, int], title: str, text: str, word: str, done: Press, close: Press) -> None:
        self.word, self.done = word, done
        self.edit = urwid.Edit(self.caption(), max_length=40)
        row = widgets.button_row([(_("No"), close), (_("Yes, discard"), self.check)])
        super().__init__(room, title, text, [urwid.Divider(), urwid.AttrMap(self.edit, None, "edit"), row], focus=2)

    def caption(self) -> str:
        """Return what is before the field."""
        text: str = shown(_("Type {word} to do it:").format(word=self.word))
        return f"{text} "

    def check(self) -> None:
        """Do it if the word was typed."""
        if self.edit.edit_text.strip().lower() == self.word:
            self.done()
        else:
            wrong = shown(_("That was not '{word}'.").format(word=self.word))
            self.edit.set_caption(f"{wrong} {self.caption()}")

    def keypress(self, size: Size, key: str) -> str | None:
        """Let Enter in the field only go on to the buttons, where No has the focus."""
        left: str | None = super().keypress(size, key)
        if left != "enter":
            return left
        self.pile.focus_position = 3
        return None


class Secret(Dialog):
    """Asks for a passphrase; `done` gets what was typed."""

    def __init__(self, room: tuple[int, int], title: str, text: str, done: Callable[[str], None], close: Press) -> None:
        self.done = done
        self.secret = SecretFields([_("Passphrase or recovery key:")])
        row = widgets.button_row([(_("Open"), self.give), (_("Not now"), close)])
        super().__init__(room, title, text, [urwid.Divider(), *self.secret.rows, row], focus=2)

    def give(self) -> None:
        """Hand over what was typed."""
        self.done(*self.secret.take())

    def keypress(self, size: Size, key: str) -> str | None:
        """Let Enter in the field do it."""
        left: str | None = super().keypress(size, key)
        if left != "enter":
            return left
        self.give()
        return None
