"""The one window: a page, boxes over it, and a thread for whatever takes longer than a blink."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import Protocol, TypeVar, cast
from warnings import catch_warnings, simplefilter

import urwid
from urwid.display import BaseScreen
from urwid.widget import WidgetWarning

from khib_tui.errors import Exit
from khib_tui.events.types import Failure, Level
from khib_tui.i18n import _
from screens.ui import dialogs, keys, theme
from screens.ui.dialogs import Dialog
from screens.ui.keys import Key
from screens.ui.logbox import Log, LogBox
from screens.ui.widgets import Choices, Press

T = TypeVar("T")


class Shown(Protocol):
    """What the window needs of a page beside that it is a widget: the keys that are valid on it, and a footer for them."""

    @property
    def keys(self) -> Sequence[Key]:
        """The keys that are valid now."""

    def show_keys(self, valid: Sequence[Key], /) -> None:
        """Show these keys in the footer."""

    def tell(self, text: str, level: Level = Level.INFO, /) -> None:
        """Show a message until the next key."""


class Window:
    """Shows pages until one of them ends the loop; `code` is then the exit code. `banner` stands in each page's header.
    `logs` gives what F8 shows, the newest first.

    :param screen: instead of the terminal, for tests.
    """

    def __init__(self, screen: BaseScreen | None = None) -> None:
        self.stack = urwid.OverlayStack(urwid.SolidFill(" "))
        self.loop = urwid.MainLoop(self.stack, theme.PALETTE, screen or theme.Terminal(), handle_mouse=False, pop_ups=True)
        self.page: Shown | None = None
        self.running = False
        self.banner = ""
        self.code = int(Exit.OK)
        self.logs: Callable[[], Sequence[Log]] = tuple
        urwid.connect_signal(self.stack, "closed", self._closed)

    @property
    def room(self) -> tuple[int, int]:
        """Return the columns and rows of the screen."""
        columns, rows = self.loop.screen.get_cols_rows()
        return columns, rows

    @property
    def simple(self) -> bool:
        """Return whether the terminal is an old or a slow one."""
        screen = self.loop.screen
        return isinstance(screen, theme.Terminal) and screen.simple

    def show(self, page: Shown) -> None:
        """Show a page, without the boxes over the last one."""
        while self.stack.close():
            pass
        self.page = page
        self.stack.base = cast(urwid.Widget, page)

    def run(self) -> None:
        """Run until `end`; the terminal is given back on every way out."""
        self.running = True
        try:
            with catch_warnings():
                # urwid warns when a terminal is narrower than a button; on the screen that would only add to the harm.
                simplefilter("ignore", WidgetWarning)
                self.loop.run()
        finally:
            self.running = False

    def end(self, code: int = Exit.OK) -> None:
        """End the loop.

        :raises urwid.ExitMainLoop: always.
        """
        self.code = int(code)
        raise urwid.ExitMainLoop

    def redraw(self) -> None:
        """Draw everything anew: something else may have written to the terminal, or it was away."""
        self.loop.screen.clear()
        self.loop.screen_size = None

    def open(self, dialog: Dialog | LogBox, done: Callable[[Press | None], None] | None = None) -> None:
        """Put a box over the page."""
        self.stack.open(dialog, width=dialog.width, height=dialog.height, close_on_menu=dialog.closable, on_close=done)
        self.show_keys()

    def close(self) -> None:
        """Take the topmost box away."""
        self.stack.close()

    def ask(self, title: str, text: str, choices: Choices, focus: int = 0) -> None:
        """Ask a question; Esc answers nothing. The first answer has the focus, so it should be the harmless one."""
        closing = [(label, partial(self._close_with, press)) for label, press in choices]
        self.open(dialogs.Question(self.room, title, text, closing, focus), lambda press: press() if press else None)

    def inform(self, title: str, text: str) -> None:
        """Show a text to read."""
        self.ask(title, text, [(_("Close"), lambda: None)])

    def complain(self, error: BaseException) -> None:
        """Show an error in a box."""
        self.inform(_("That cannot be done"), Failure.of(error).text)

    def show_help(self, text: str, valid: Sequence[Key]) -> None:
        """Show a page's help, and what its keys do."""
        self.inform(_("Help"), f"{text}\n\n{keys.listing(valid)}")

    def show_logs(self) -> None:
        """Show the logs that there are, the newest first."""
        self.open(LogBox(self.room, self.logs(), self.close))

    def ask_leave(self) -> None:
        """Ask whether to leave; No has the focus."""
        text = _("Leave khib? Nothing is set up by that. Your answers are kept until the machine restarts.")
        self.ask(_("Leave"), text, [(_("No"), lambda: None), (_("Leave"), lambda: self.end(Exit.CANCELLED))])

    def background(self, text: str, work: Callable[[], T], done: Callable[[T], None]) -> None:
        """Do what takes long in a thread, behind a box that says so; errors are shown."""
        if not self.running:
            self._finish(_outcome(work, done, self.complain))
            return
        self.open(dialogs.Wait(self.room, text))
        Thread(target=lambda: self.call(self._finish, _outcome(work, done, self.complain)), daemon=True).start()

    def call(self, function: Callable[..., object], *args: object) -> None:
        """Call a function in the thread of the loop; nothing happens if the loop has ended."""
        with suppress(RuntimeError):
            self.loop.call_from_thread(function, *args)

    def _finish(self, outcome: Press) -> None:
        if self.stack.levels and isinstance(self.stack.levels[-1], dialogs.Wait):
            self.stack.close()
        outcome()

    def _close_with(self, press: Press) -> None:
        self.stack.close(press)

    def _closed(self, *_: object) -> None:
        self.show_keys()

    def show_keys(self) -> None:
        """Show the keys that are valid now: those of the topmost box, or of the page."""
        top = cast(Shown | None, self.stack.levels[-1] if self.stack.levels else self.page)
        if self.page is not None and top is not None:
            self.page.show_keys(top.keys)


def _outcome(work: Callable[[], T], done: Callable[[T], None], failed: Callable[[BaseException], None]) -> Press:
    """Do the work, and give what to do in the loop's thread afterwards."""
    try:
        value = work()
    except Exception as error:
        return partial(failed, error)
    return partial(done, value)
