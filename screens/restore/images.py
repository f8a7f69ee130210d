"""C: all images that are there, and what can be done with each."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import Any

import urwid

from khib_tui.events.types import Level
from khib_tui.i18n import N_, _
from khib_tui.image.header import State
from khib_tui.model.machine import BlockDevice
from khib_tui.model.text import clean
from khib_tui.restorer import manage
from khib_tui.target import catalog
from khib_tui.target.catalog import Found
from screens.ui import keys, widgets
from screens.ui.dialogs import Typed
from screens.ui.images import cells, columns, details
from screens.ui.page import Page
from screens.ui.window import Window

LOST = N_("The session in it is lost: it can never be resumed.")
NOT_LOST = N_("It cannot be resumed as it is: no session is lost.")


class Wish(Enum):
    """What is wanted with the image that was chosen."""

    RESUME = auto()
    VERIFY = auto()
    NOTHING = auto()


class ConsolePage(Page):
    """Every image, whatever became of it. Nothing here changes one without a typed word.

    :param told: of what was done last.
    """

    title = N_("khib: images")
    help = N_(
        "Resume: goes on with the saved session, after the checks. What is in it: host, kernel, time, sizes. "
        "Verify: reads every byte and changes nothing. Discard: the image can never be resumed then; a word "
        "must be typed."
    )
    keys = keys.LIST

    def __init__(self, window: Window, devices: Sequence[BlockDevice], found: Sequence[Found], told: str = "") -> None:
        self.devices, self.found = devices, list(found)
        self.wish, self.chosen = Wish.NOTHING, None if not found else found[0]
        self.table = urwid.Table(columns(), list(map(cells, found)), header_attr="heading", focus_attr="focus")
        urwid.connect_signal(self.table, "activate", lambda *_: self.info())
        choices = [
            (_("Resume"), lambda: self.end(Wish.RESUME)), (_("What is in it"), self.info),
            (_("Verify"), lambda: self.end(Wish.VERIFY)), (_("Discard"), self.discard), (_("Back"), self.back),
        ]  # fmt: skip
        intro = _("Images on the disks of this machine:") if found else _("There is no image on the disks of this machine.")
        body = widgets.headed(intro, self.table, [])
        super().__init__(window, body, choices if found else choices[-1:], focus=None if found else 0)
        if told:
            self.tell(told)

    def item(self) -> Found:
        """Return the image in focus."""
        return self.found[self.table.focus_position]

    def end(self, wish: Wish) -> None:
        """Take the image in focus, and end the page."""
        self.wish, self.chosen = wish, self.item()
        self.window.end()

    def info(self) -> None:
        """Show what is in the image."""
        item = self.item()
        self.window.background(_("Reading the image..."), lambda: manage.info(self.devices, item), self.show)

    def show(self, data: dict[str, Any]) -> None:
        """Show what an image holds."""
        self.window.inform(_("Image"), details(data))

    def discard(self) -> None:
        """Ask for the word, then give the image up."""
        item = self.item()
        cost = _(LOST if item.header.state is State.COMPLETE else NOT_LOST)
        text = f"{clean(catalog.line(item), 300)}\n\n{cost}"
        self.window.open(Typed(self.window.room, _("Discard the image?"), text, _("yes"), self.abandon, self.window.close))

    def abandon(self) -> None:
        """Give it up."""
        item = self.item()
        self.window.close()
        self.window.background(_("Discarding the image..."), lambda: manage.discard(self.devices, item), self.gone)

    def gone(self, _done: None) -> None:
        """Say that it is given up; what is listed is read anew when the page is shown again."""
        self.tell(_("The image on {where} was discarded.").format(where=self.item().where), Level.WARNING)

    def back(self) -> None:
        """Go back to the menu."""
        self.window.end()

    def leave(self) -> None:
        """Go back to the menu."""
        self.window.end()
