"""The first page on a new machine: what will happen, what cannot go wrong, how long it takes."""

from __future__ import annotations

import urwid
from urwid.widget import AbstractFlowWidget

from khib_tui.i18n import N_, _
from screens.ui import widgets
from screens.ui.page import Page
from screens.ui.shown import Text
from screens.wizard.flow import Flow

INTRO = N_(
    "khib saves the whole running system to disk and switches the machine off. When it is switched on "
    "again, everything is as it was: programs, windows, unsaved work."
)
PARTS = [
    (
        N_("What will happen"),
        N_(
            "Some questions, each with an answer proposed. The last page lists every step, word for word; only "
            "then is anything written: a saving kernel, one boot entry, your choices."
        ),
    ),
    (
        N_("What cannot go wrong"),
        N_(
            "Your own kernel and the default of the boot menu stay as they are. Only a place that you choose "
            "takes the image. What fails brings this system back. `khib setup --remove` takes all of it away "
            "again."
        ),
    ),
    (
        N_("How long it takes"),
        N_(
            "The questions: a few minutes. Afterwards a rehearsal, seconds for a jump and back, or as long as "
            "writing the image takes. Save your work before the first one."
        ),
    ),
]


class WelcomePage(Page):
    """Three things to know before anything is asked."""

    title = N_("Welcome to khib")
    intro = INTRO
    help = N_("Nothing is changed before 'Set up' is pressed on the last page.")

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        rows: list[AbstractFlowWidget] = []
        for heading, text in PARTS:
            rows += [widgets.line(_(heading), "heading"), urwid.Padding(Text(_(text)), left=2), urwid.Divider()]
        choices = [(_("Start"), lambda: flow.go(0)), (_("Leave"), self.leave)]
        super().__init__(flow.window, widgets.listed(rows, intro=_(INTRO)), choices)

    def back(self) -> None:
        """There is nothing behind: ask whether to leave."""
        self.leave()
