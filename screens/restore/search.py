"""C looks for the image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Thread
from typing import Generic, TypeVar

import urwid

from khib_tui.errors import Cancelled
from khib_tui.i18n import N_, _
from khib_tui.model.units import duration
from screens.ui.keys import Key
from screens.ui.page import Page
from screens.ui.shown import Line
from screens.ui.window import Window

T = TypeVar("T")
TICK = 1.0


class SearchPage(Page, Generic[T]):
    """Says that the search goes on, until it ends or Esc is pressed."""

    title = N_("khib: resume")
    help = N_("Disks take a while to appear, USB ones some seconds. Esc stops the search and asks what to do.")
    keys = (Key.STOP, Key.HELP, Key.LOG, Key.REDRAW)

    def __init__(self, window: Window, text: str, search: Callable[[], T], late: Sequence[str] = ()) -> None:
        self.what, self.search, self.late = text, search, late
        self.outcome: list[T] = []
        self.error: Exception = Cancelled(_("you stopped the search"), hint=_("press Retry to search again"))
        self.seconds = 0
        self.text = Line(text, 0)
        super().__init__(window, urwid.Filler(self.text, "top"), focus=None)
        window.loop.set_alarm_in(0, lambda *_: Thread(target=self.work, daemon=True).start())
        window.loop.set_alarm_in(TICK, self.tick)

    def work(self) -> None:
        """Search, in a thread of its own."""
        try:
            self.outcome.append(self.search())
        except Exception as error:
            self.error = error
        self.window.call(self.window.end)

    def tick(self, loop: urwid.MainLoop, _: object) -> None:
        """Show the time passing."""
        self.seconds += 1
        self.text.set_text("\n\n".join([f"{self.what} {duration(self.seconds)}", *self.late]))
        loop.set_alarm_in(TICK, self.tick)

    def command(self, key: Key | None) -> bool:
        """Stop searching."""
        if key is Key.STOP:
            self.window.end()
        return super().command(key)

    def result(self) -> T:
        """Return what was found.

        :raises Exception: why nothing was.
        """
        if not self.outcome:
            raise self.error
        return self.outcome[0]
