"""How a run ended, and what to do now."""

from __future__ import annotations

import urwid
from urwid.widget import AbstractFlowWidget

from khib_tui.handover.handover import Mode
from khib_tui.plan.task import Ending, Task
from screens.ui import keys, widgets
from screens.ui.page import Page
from screens.ui.widgets import Press
from screens.wizard.flow import Flow


class ResultPage(Page):
    """The report of a run in the engine's words."""

    help = "Read what happened, then go on with one of the buttons."
    keys = keys.PAGE

    def __init__(self, flow: Flow, task: Task, ending: Ending) -> None:
        self.title = ending.title
        self.flow = flow
        choices: list[tuple[str, Press]] = [("Home", flow.home)] if flow.ready else []
        choices += [("Back to the review", flow.review)] if not flow.ready else []
        if ending.code:
            choices += [("Try again", lambda: flow.travel(task.mode))]
        elif task.mode is not Mode.SAVE:
            choices += [("Rehearse", flow.rehearse), ("Hibernate now", lambda: flow.travel(Mode.SAVE))]
        attribute = "blocker" if ending.code else "heading"
        rows: list[AbstractFlowWidget] = [
            widgets.line(f"{task.title}: {ending.title}", attribute),
            urwid.Divider(),
            widgets.line(ending.text),
        ]
        super().__init__(flow.window, widgets.listed(rows), [*choices, ("Quit", lambda: flow.window.end(ending.code))])

    def back(self) -> None:
        """Go home, or to the review if nothing is set up."""
        if self.flow.ready:
            self.flow.home()
        else:
            self.flow.review()

    def leave(self) -> None:
        """Leave with the exit code of the run."""
        self.window.end(self.window.code)
