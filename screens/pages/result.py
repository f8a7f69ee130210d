"""How a run ended, and what to do now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import urwid
from urwid.widget import AbstractFlowWidget

from khib_tui.handover.handover import Mode
from khib_tui.plan.task import Outcome, Trip
from screens import keys, widgets
from screens.base import Page
from screens.widgets import Press

if TYPE_CHECKING:
    from screens.app import Wizard


class ResultPage(Page):
    """The report of a run in the engine's words."""

    help = "Read what happened, then go on with one of the buttons."
    keys = keys.PAGE

    def __init__(self, wizard: Wizard, trip: Trip, outcome: Outcome) -> None:
        self.title = outcome.title
        self.wizard = wizard
        choices: list[tuple[str, Press]] = [("Home", wizard.home)] if wizard.ready else []
        choices += [("Back to the review", lambda: wizard.go(5))] if not wizard.ready else []
        if outcome.code:
            choices += [("Try again", lambda: wizard.travel(trip.mode))]
        elif trip.mode is not Mode.SAVE:
            choices += [("Rehearse", wizard.rehearse), ("Hibernate now", lambda: wizard.travel(Mode.SAVE))]
        attribute = "blocker" if outcome.code else "heading"
        rows: list[AbstractFlowWidget] = [
            widgets.line(f"{trip.title}: {outcome.title}", attribute),
            urwid.Divider(),
            widgets.line(outcome.text),
        ]
        super().__init__(wizard.window, widgets.listed(rows), [*choices, ("Quit", lambda: wizard.window.end(outcome.code))])

    def back(self) -> None:
        """Go home, or to the review if nothing is set up."""
        if self.wizard.ready:
            self.wizard.home()
        else:
            self.wizard.go(5)

    def leave(self) -> None:
        """Leave with the exit code of the run."""
        self.window.end(self.window.code)
