"""C has found the image, or several: count down, or choose."""

from __future__ import annotations

from collections.abc import Sequence

import urwid
from urwid import Align, TableColumn, WHSettings

from khib_tui.errors import Cancelled
from khib_tui.i18n import N_, _
from khib_tui.model.text import clean
from khib_tui.model.units import size, when
from khib_tui.target.catalog import Found
from screens.ui import keys
from screens.ui.keys import Key
from screens.ui.page import Page
from screens.ui.shown import Line, Text, shown
from screens.ui.widgets import Size, listed
from screens.ui.window import Window

TICK = 1.0


def columns() -> list[TableColumn]:
    """Return the headings of the list."""
    return [
        TableColumn(shown(_("Place")), min_width=15),
        TableColumn(shown(_("Host")), (WHSettings.WEIGHT, 2), min_width=4),
        TableColumn(shown(_("Saved on")), min_width=10),
        TableColumn(shown(_("Image")), align=Align.RIGHT, min_width=6),
        TableColumn(shown(_("Memory")), align=Align.RIGHT, min_width=6),
    ]


class FoundPage(Page):
    """The image that will be resumed; with several, nothing resumes by itself.

    :param countdown: seconds; negative waits for a key.
    """

    title = N_("khib: resume")
    help = N_(
        "Resume: reads the image into memory and goes on with the saved session. An image can be resumed "
        "once. Not now: asks what to do instead; the image is kept."
    )

    def __init__(self, window: Window, found: Sequence[Found], countdown: int) -> None:
        self.found = found
        self.left = countdown if len(found) == 1 else -1
        self.keys: Sequence[Key] = (Key.CHOOSE, Key.HOLD, Key.HELP) if self.left >= 0 else keys.LIST
        self.chosen: Found | None = None
        self.table = urwid.Table(columns(), [row(item) for item in found], header_attr="heading", focus_attr="focus")
        urwid.connect_signal(self.table, "activate", lambda *_: self.resume())
        intro = _("This session can be resumed:") if len(found) == 1 else _("There are several sessions. Choose one:")
        choices = [(_("Resume now"), self.resume), (_("Not now"), self.back)]
        super().__init__(window, listed([self.table], intro=intro), choices, focus=0 if len(found) == 1 else None)
        if self.left >= 0:
            self.show_countdown()
            window.loop.set_alarm_in(TICK, self.tick)

    def tick(self, loop: urwid.MainLoop, _data: object) -> None:
        """Count down, unless a key was pressed; resume at zero."""
        if self.left < 0:
            return
        self.left -= 1
        if self.left <= 0:
            self.resume()
        self.show_countdown()
        loop.set_alarm_in(TICK, self.tick)

    def show_countdown(self) -> None:
        """Show how long is left."""
        self.tell(_("Resuming in {left} s - Enter: now, Esc: stop the countdown").format(left=self.left))

    def keypress(self, widget_size: Size, key: str) -> str | None:
        """Let any key but Enter stop the countdown; Esc does only that."""
        counting, self.left = self.left >= 0, -1
        if not counting:
            return super().keypress(widget_size, key)
        self.keys = keys.LIST
        self.window.show_keys()
        left = None if key == "esc" else super().keypress(widget_size, key)
        self.tell(_("The countdown is stopped."))
        return left

    def resume(self) -> None:
        """Take the image in focus."""
        self.chosen = self.found[self.table.focus_position]
        self.window.end()

    def back(self) -> None:
        """Take none."""
        self.window.end()

    def leave(self) -> None:
        """Take none."""
        self.window.end()

    def result(self) -> Found:
        """Return the image to resume.

        :raises Cancelled: none was taken.
        """
        if self.chosen is None:
            raise Cancelled(_("nothing is resumed now"), hint=_("Retry shows the images again"), ident="HIB-E-CANCELLED")
        return self.chosen


def row(item: Found) -> list[urwid.Widget | str]:
    """Format an image in a line."""
    header = item.header
    created = when(header.created)
    place = Line(item.where, 0, wrap="any")
    return [place, Text(clean(header.host or "?")), created, size(header.image_bytes), size(header.ram_bytes)]
