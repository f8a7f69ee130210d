"""C cannot resume: why, what that means, and what to do now."""

from __future__ import annotations

from enum import Enum, auto

import urwid
from urwid.widget import AbstractFlowWidget

from khib_tui.errors import Cancelled
from khib_tui.events.types import Failure
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
    RESTART = auto()


class RefusedPage(Page):
    """What failed, what became of the image, and the ways on.

    :param found: the image, None if none was found.
    :param state: what state it is in now, None if that cannot be read.
    """

    help = (
        "Retry: looks again, for instance after plugging the disk in. Repair: makes a damaged header whole from its second "
        "copy; everything else is checked as always. Shell: for those who know what to look for; `khib "
        "restore` tries again there. Restart the machine: boots normally; the image stays where it is."
    )
    keys = (Key.CHOOSE, Key.HELP, Key.FIELD, Key.SCROLL)

    def __init__(self, window: Window, error: Exception, found: Found | None, state: State | None) -> None:
        stopped = isinstance(error, Cancelled)
        self.title = "Stopped" if stopped else "This session cannot be resumed now"
        self.answer = Answer.RETRY
        rows: list[AbstractFlowWidget] = [
            line(Failure.of(error).text, "heading" if stopped else "blocker"),
            urwid.Divider(),
            line(safety(found, state)),
        ]
        damaged = getattr(error, "ident", "") == DAMAGED
        choices = [
            *([("Repair and retry", lambda: self.end(Answer.REPAIR))] if damaged else []),
            ("Retry", lambda: self.end(Answer.RETRY)),
            ("Shell", lambda: self.end(Answer.SHELL)),
            ("Restart the machine", lambda: self.end(Answer.RESTART)),
        ]
        super().__init__(window, listed(rows), choices)

    def end(self, answer: Answer) -> None:
        """Keep the answer and end the page."""
        self.answer = answer
        self.window.end()


def safety(found: Found | None, state: State | None) -> str:
    """Return what became of the image and the disks."""
    if found is None:
        return "Nothing was changed on any disk."
    if state is State.COMPLETE:
        return f"The image on {found.where} is kept and nothing was changed: it can still be resumed."
    if state is None:
        return f"The image on {found.where} cannot be read now; nothing was changed on the disks of the saved system."
    return f"The image on {found.where} is now {state.value}: it will not be resumed again by itself."
