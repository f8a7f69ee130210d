"""How a run ended, and what to do now."""

from __future__ import annotations

import urwid
from urwid.widget import AbstractFlowWidget

from khib_tui.handover.handover import Mode
from khib_tui.i18n import N_, _
from khib_tui.model.journey import Rung
from khib_tui.plan.task import Ending, Errand, Task
from screens.ui import keys, widgets
from screens.ui.page import Page
from screens.ui.widgets import Press
from screens.wizard.flow import Flow


class ResultPage(Page):
    """The report of a run in the engine's words."""

    help = N_("Read what happened, then go on with one of the buttons.")
    keys = keys.PAGE

    def __init__(self, flow: Flow, task: Errand, ending: Ending) -> None:
        self.title = ending.title
        self.flow = flow
        home: list[tuple[str, Press]] = [(_("Home"), flow.home)] if flow.ready else [(_("Back to the review"), flow.review)]
        on: list[tuple[str, Press]] = []
        if ending.code:
            on = [(_("Try again"), lambda: again(flow, task))]
        elif task.rung is not Rung.TRIP:
            # What was only set up is to be rehearsed; that comes first.
            on = [(_("Rehearse"), flow.rehearse), (_("Hibernate now"), lambda: flow.travel(Mode.SAVE))]
        choices = [*home, *on] if ending.code or task.rung is Rung.TRIP else [on[0], *home, on[1]]
        attribute = "blocker" if ending.code else "heading"
        rows: list[AbstractFlowWidget] = [
            widgets.line(f"{task.title}: {ending.title}", attribute),
            urwid.Divider(),
            widgets.line(ending.text),
        ]
        if ending.code:
            rows += [urwid.Divider(), widgets.line(_("F8 shows the log of this run, line by line."))]
        super().__init__(flow.window, widgets.listed(rows), [*choices, (_("Quit"), lambda: flow.window.end(ending.code))])

    def back(self) -> None:
        """Go home, or to the review if nothing is set up."""
        if self.flow.ready:
            self.flow.home()
        else:
            self.flow.review()

    def leave(self) -> None:
        """Leave with the exit code of the run."""
        self.window.end(self.window.code)


def again(flow: Flow, task: Errand) -> None:
    """Try the same once more."""
    if isinstance(task, Task):
        flow.travel(task.mode)
    else:
        flow.echo()
