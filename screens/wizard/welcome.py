"""The first page on a new machine: what will happen, what cannot go wrong, how long it takes."""

from __future__ import annotations

import urwid
from urwid.widget import AbstractFlowWidget

from screens.ui import widgets
from screens.ui.page import Page
from screens.ui.shown import Text
from screens.wizard.flow import Flow

INTRO = (
    "khib saves the whole running system to disk and switches the machine off. When it is switched on again, everything is "
    "as it was: programs, windows, unsaved work."
)
PARTS = [
    ("What will happen", "Some questions, each with an answer proposed. The last page lists every step, word for word; "
     "only then is anything written: a saving kernel, one boot entry, your choices."),
    ("What cannot go wrong", "Your own kernel and the default of the boot menu stay as they are. Only a place that you choose "
     "takes the image. What fails brings this system back. `khib setup --remove` takes all of it away again."),
    ("How long it takes", "The questions: a few minutes. Afterwards a rehearsal, seconds for a jump and back, or as long as "
     "writing the image takes. Save your work before the first one."),
]  # fmt: skip


class WelcomePage(Page):
    """Three things to know before anything is asked."""

    title = "Welcome to khib"
    help = f"{INTRO} Nothing is changed before 'Set up' is pressed on the last page."

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        rows: list[AbstractFlowWidget] = []
        for heading, text in PARTS:
            rows += [widgets.line(heading, "heading"), urwid.Padding(Text(text), left=2), urwid.Divider()]
        choices = [("Start", lambda: flow.go(0)), ("Leave", self.leave)]
        super().__init__(flow.window, widgets.listed(rows, intro=INTRO), choices)

    def back(self) -> None:
        """There is nothing behind: ask whether to leave."""
        self.leave()
