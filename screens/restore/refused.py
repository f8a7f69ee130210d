"""C cannot resume: why, what that means, and what to do now."""

from __future__ import annotations

from enum import Enum, auto

import urwid
from urwid.widget import AbstractFlowWidget

from khib_tui.errors import Cancelled
from khib_tui.events.types import Failure
from khib_tui.i18n import N_, _
from khib_tui.image.header import DAMAGED, State
from khib_tui.target.catalog import Found
from screens.ui.keys import Key
from screens.ui.page import Page
from screens.ui.widgets import line, listed
from screens.ui.window import Window


class Answer(Enum):
    """What the user wants after a refusal."""

    RETRY = auto()
    REPAIR = auto()
    SHELL = auto()
    IMAGES = auto()
    RESTART = auto()
    POWER_OFF = auto()


COST = N_("A session waits. As soon as the system starts and writes to its disks, that session cannot be resumed any more.")
NORMAL = N_("The machine restarts; nothing is written before. In the boot menu, choose your system as always.")
OFF = N_("Nothing is written. When the machine is switched on again, khib's entry in the boot menu leads back here.")


class RefusedPage(Page):
    """What failed, what became of the image, and the ways on.

    :param found: the image, None if none was found.
    :param state: what state it is in now, None if that cannot be read.
    """

    help = N_(
        "Retry: looks again, for instance after plugging the disk in. Repair: makes a damaged header whole "
        "from its second copy; everything else is checked as always. Images: all that are there, to choose, "
        "read, verify or discard. Shell: for those who know what to look for; `khib` brings this menu back "
        "there. Boot normally and Power off ask first."
    )
    keys = (Key.CHOOSE, Key.HELP, Key.FIELD, Key.SCROLL, Key.LOG)

    def __init__(self, window: Window, error: Exception, found: Found | None, state: State | None) -> None:
        stopped, self.waits = isinstance(error, Cancelled), state is State.COMPLETE
        self.title = _("Stopped") if stopped else _("This session cannot be resumed now")
        self.answer = Answer.RETRY
        rows: list[AbstractFlowWidget] = [
            line(Failure.of(error).text, "heading" if stopped else "blocker"),
            urwid.Divider(),
            line(safety(found, state)),
            urwid.Divider(),
            line(_("F8 shows what was done, line by line.")),
        ]
        damaged = getattr(error, "ident", "") == DAMAGED
        choices = [
            *([(_("Repair and retry"), lambda: self.end(Answer.REPAIR))] if damaged else []),
            (_("Retry"), lambda: self.end(Answer.RETRY)),
            (_("Shell"), lambda: self.end(Answer.SHELL)),
            (_("Images"), lambda: self.end(Answer.IMAGES)),
            (_("Boot normally"), lambda: self.ask(_("Boot normally?"), _(NORMAL), _("Boot normally"), Answer.RESTART)),
            (_("Power off"), lambda: self.ask(_("Power off?"), _(OFF), _("Power off"), Answer.POWER_OFF)),
        ]
        super().__init__(window, listed(rows), choices)

    def ask(self, title: str, text: str, label: str, answer: Answer) -> None:
        """Ask before the machine goes; No has the focus."""
        cost = f"{_(COST)}\n\n{text}" if self.waits and answer is Answer.RESTART else text
        self.window.ask(title, cost, [(_("No"), lambda: None), (label, lambda: self.end(answer))])

    def end(self, answer: Answer) -> None:
        """Keep the answer and end the page."""
        self.answer = answer
        self.window.end()


def safety(found: Found | None, state: State | None) -> str:
    """Return what became of the image and the disks."""
    if found is None:
        return _("Nothing was changed on any disk.")
    if state is State.COMPLETE:
        return _("The image on {where} is kept and nothing was changed: it can still be resumed.").format(where=found.where)
    if state is None:
        return _("The image on {where} cannot be read now; nothing was changed on the disks of the saved system.").format(
            where=found.where
        )
    return _("The image on {where} is now {state}: it will not be resumed again by itself.").format(
        where=found.where, state=_(state)
    )
