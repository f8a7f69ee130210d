"""Step 6: all steps, word for word as they will be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import urwid

from khib_tui import plan
from khib_tui.decide import Choice, decide
from khib_tui.errors import KhibError
from khib_tui.handover import Mode
from khib_tui.settings import Settings
from khib_tui.steps import Action
from screens import keys, widgets
from screens.pages.step import StepPage

if TYPE_CHECKING:
    from screens.app import Wizard

Markup = str | tuple[str, str]


class ReviewPage(StepPage):
    """What 'Set up' does, and what each hibernation does."""

    title = "Review"
    help = (
        "Set up: installs saver and boot entry and keeps the choices; the running system is not touched. Rehearse: jumps into "
        "the saver and comes back. Hibernate now: sets up if need be, saves, and goes; it asks once more."
    )
    keys = keys.LIST
    forward_label = "Set up"

    def __init__(self, wizard: Wizard, note: str = "") -> None:
        try:
            text = review(decide(wizard.machine, wizard.settings, need_memory=False))
            self.refused: KhibError | None = None
        except KhibError as error:
            text, self.refused = [("blocker", widgets.error_text(error))], error
        more = [("Rehearse", wizard.rehearse), ("Hibernate now", lambda: wizard.travel(Mode.SAVE))]
        body = widgets.scrolled(urwid.Text(text))
        super().__init__(wizard, note, body, [] if self.refused else more)

    def answer(self) -> Settings:
        """Give the settings.

        :raises KhibError: they cannot work.
        """
        if self.refused:
            raise self.refused
        return self.wizard.settings

    def next(self) -> None:
        """Set up."""
        try:
            self.answer()
        except KhibError as error:
            self.refuse(error)
            return
        self.wizard.travel(None)


def review(choice: Choice) -> list[Markup]:
    """Say both plans, and the warnings."""
    warnings = [finding for finding in choice.findings if finding.severity == "warning"]
    text: list[Markup] = []
    for finding in warnings:
        text.append(("warning", f"[warn] {finding.what}\n"))
    text += [("heading", "Set up, once:\n"), *steps(plan.setup(choice))]
    return [*text, "\n", ("heading", "Each hibernation:\n"), *steps(plan.journey(choice, Mode.SAVE))]


def steps(actions: list[Action]) -> list[Markup]:
    """Say the steps as they will be applied."""
    return [f"{step.number:2}. {step.text}\n" for step in plan.describe(actions)]
