"""The images on the disks: list, show, discard."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import urwid

from khib_tui.events.sinks import quiet
from khib_tui.events.types import Level
from khib_tui.i18n import N_, _
from khib_tui.image.header import UNKNOWN, State
from khib_tui.model.text import clean
from khib_tui.plan.discard import Discard
from khib_tui.plan.execute import execute
from khib_tui.plan.step import Context
from khib_tui.target import catalog, pick
from khib_tui.target.catalog import Found
from screens.ui import keys, widgets
from screens.ui.dialogs import Typed
from screens.ui.images import cells, columns, details
from screens.ui.page import Page
from screens.wizard.flow import Flow

CLOSED = (State.DONE, State.ABANDONED)


class ImagesPage(Page):
    """All images; nothing here changes one without a typed word."""

    title = N_("Images")
    help = N_(
        "complete: can be resumed, once. claimed or done: was resumed. partial, abandoned: was never "
        "finished. Discard: a complete image can then never be resumed, and its place is free for the next "
        "one."
    )
    keys = keys.LIST

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.found: Sequence[Found] = ()
        self.table = widgets.table(columns())
        urwid.connect_signal(self.table, "activate", lambda *_: self.info())
        choices = [(_("Info"), self.info), (_("Discard"), self.discard), (_("Look again"), self.look), (_("Back"), self.back)]
        super().__init__(flow.window, widgets.headed("", self.table, []), choices)
        flow.window.loop.set_alarm_in(0, lambda *_: self.look())

    def look(self) -> None:
        """Read the disks."""
        machine, target = self.flow.machine, self.flow.settings.target
        self.window.background(_("Looking for images..."), lambda: catalog.images(machine, target), self.fill)

    def fill(self, found: Sequence[Found]) -> None:
        """List what was found."""
        self.found = found
        self.table.body[:] = [self.table.layout.row(cells(item)) for item in found]
        if not found:
            self.tell(_("Images: {none_found}.").format(none_found=catalog.none_found(self.flow.machine)))

    def item(self) -> Found | None:
        """Return the image in focus."""
        if not self.found:
            self.tell(_("There is no image."), Level.WARNING)
            return None
        return self.found[self.table.focus_position]

    def info(self) -> None:
        """Show all about an image."""
        if item := self.item():
            self.window.background(_("Reading the image..."), lambda: self.read(item), self.show)

    def read(self, item: Found) -> dict[str, Any]:
        """Read what an image holds."""
        with pick.chosen(self.flow.machine, item.where, self.flow.settings.target) as (found, store):
            return catalog.info(found, store)

    def show(self, data: dict[str, Any]) -> None:
        """Show what an image holds."""
        self.window.inform(_("Image"), details(data))

    def discard(self) -> None:
        """Ask for the word, then discard the image."""
        item = self.item()
        if item is None:
            return
        if item.header.state in CLOSED and item.header.image_id != UNKNOWN:
            self.tell(
                _("The image on {where} is {state} already: nothing to discard.").format(
                    where=item.where, state=_(item.header.state)
                ),
                Level.WARNING,
            )
            return
        text = f"{clean(catalog.line(item), 300)}\n\n{loss(item.header.state)}"
        done = partial(self.abandon, item)
        self.window.open(Typed(self.window.room, _("Discard the image?"), text, _("yes"), done, self.window.close))

    def abandon(self, item: Found) -> None:
        """Discard an image, and list again."""
        self.window.close()
        self.window.background(_("Discarding the image..."), lambda: discard(self.flow, item), lambda _: self.look())

    def back(self) -> None:
        """Go home."""
        self.flow.home()


def discard(flow: Flow, item: Found) -> None:
    """Discard an image."""
    execute([Discard(flow.machine, item, flow.settings.target)], Context(quiet), quiet)


def loss(state: State) -> str:
    """Return what discarding an image in a state costs."""
    if state is State.COMPLETE:
        return _("The session in it is lost: it can never be resumed.")
    if state is State.CLAIMED:
        return _("It was resumed already: no session is lost.")
    return _("It was never finished: no session is lost.")
