"""The rehearsals: what each shows, how the last one went, and a button for each."""

from __future__ import annotations

import urwid
from urwid.widget import AbstractFlowWidget

from khib_tui.decide import rehearsals
from khib_tui.decide.rehearsals import Tried
from khib_tui.handover.handover import Mode
from khib_tui.i18n import N_, _
from khib_tui.model.journey import Rung
from screens.ui import keys, widgets
from screens.ui.page import Page
from screens.ui.shown import Text
from screens.ui.widgets import Press
from screens.wizard.flow import Flow

INTRO = N_(
    "Each step goes further than the one before, and comes back; 1 and 2 write nothing. Save your work "
    "before. Hibernating without any of them is possible; then the first time is the rehearsal."
)
STARTS = {
    Rung.ECHO: N_("1. Rehearse echo"),
    Rung.JUMP: N_("2. Rehearse jump"),
    Rung.SAVE: N_("3. Rehearse save"),
    Rung.TRIP: N_("4. Full trip"),
}
SHOWS = {
    Rung.ECHO: N_("Freezes all devices, jumps into one page of code and straight back. Shows whether the drivers stand " "it."),
    Rung.JUMP: N_("Into the saver and straight back. Shows whether it runs, finds the disks and has a screen."),
    Rung.SAVE: N_("Writes a whole image, reads it back, gives it up, comes back. Shows size and time."),
    Rung.TRIP: N_("The machine goes off; you switch it on. Shows that boot loader, restorer and devices do their part."),
}  # fmt: skip
GOOD, OPEN, BAD = "[ ok ]", "[    ]", "[warn]"
INDENT, WIDTH = 7, 23


class RehearsalsPage(Page):
    """The four steps, the next one in focus."""

    title = N_("Rehearsals")
    intro = INTRO
    help = N_(
        "[ ok ]: went well with the kernels that run now, by itself or on a higher step. [warn]: the "
        "last time it did not. What is known of each is kept until the set-up is removed."
    )
    keys = keys.LIST

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        tried = rehearsals.judge(flow.journeys, flow.now)
        rows = [row for step in tried for row in self.of(step)]
        first = next((at for at, step in enumerate(tried) if not step.good), 0)
        body = widgets.listed(rows, 3 * first, intro=_(INTRO))
        super().__init__(flow.window, body, [(_("Back"), self.back)], focus=None)

    def of(self, step: Tried) -> list[AbstractFlowWidget]:
        """Make the lines of a step: its button, how it went, and what it shows."""
        mark = GOOD if step.good else BAD if step.last else OPEN
        attribute = {GOOD: "ok", BAD: "warning", OPEN: "heading"}[mark]
        start = widgets.button(_(STARTS[step.rung]), self.start(step.rung))
        return [
            urwid.Columns([(INDENT - 1, Text((attribute, mark))), (WIDTH, start)], dividechars=1),
            urwid.Padding(Text((attribute, step.text)), left=INDENT),
            urwid.Padding(Text(_(SHOWS[step.rung])), left=INDENT),
        ]

    def start(self, rung: Rung) -> Press:
        """Return what begins a step."""
        modes = {Rung.JUMP: Mode.REHEARSE, Rung.SAVE: Mode.REHEARSE_SAVE, Rung.TRIP: Mode.SAVE}
        if rung is Rung.ECHO:
            return self.flow.echo
        return lambda: self.flow.travel(modes[rung])

    def back(self) -> None:
        """Go home, or to the review as long as nothing is set up."""
        if self.flow.ready:
            self.flow.home()
        else:
            self.flow.review()
