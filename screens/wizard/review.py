"""Step 7: all steps, word for word as they will be done."""

from __future__ import annotations

import urwid
from urwid.widget import AbstractFlowWidget

from khib_tui.errors import KhibError
from khib_tui.events.types import Failure, Severity
from khib_tui.handover.handover import Mode
from khib_tui.model.settings import Settings
from khib_tui.plan import build
from khib_tui.plan.step import Action
from khib_tui.plan.task import Task, task_of
from khib_tui.seal import file as sealfile
from screens.ui import keys, widgets
from screens.ui.shown import Text
from screens.wizard.flow import Flow
from screens.wizard.step import StepPage

BARE = (
    f"Without a seal, {sealfile.UNSEALED.why}. That is all that is in memory: open documents, passwords, and the keys of "
    "encrypted disks.\n\nWith a seal, resuming asks for a passphrase."
)


class ReviewPage(StepPage):
    """What 'Set up' does, and what each hibernation does."""

    title = "Review"
    help = (
        "Set up: installs saver and boot entry and keeps the choices; the running system is not touched. Rehearse: jumps "
        "into the saver and comes back. Hibernate now: sets up if need be, saves, and goes; it asks once more. Seal the "
        "images: encrypts the images of later hibernations with a passphrase."
    )
    keys = keys.LIST
    forward_label = "Set up"

    def __init__(self, flow: Flow, note: str = "") -> None:
        try:
            task = task_of(flow.machine, flow.settings, flow.path, Mode.SAVE, keep=True, need_memory=False)
            rows = review(task, flow)
            self.refused: KhibError | None = None
            self.bare = not task.choice.sealed
        except KhibError as error:
            rows, self.refused, self.bare = [widgets.line(Failure.of(error).text, "blocker")], error, False
        more = [("Rehearse", flow.rehearse), ("Hibernate now", lambda: flow.travel(Mode.SAVE))]
        super().__init__(flow, note, widgets.listed(rows), [] if self.refused else more)

    def answer(self) -> Settings:
        """Return the settings.

        :raises KhibError: they cannot work.
        """
        if self.refused:
            raise self.refused
        return self.flow.settings

    def next(self) -> None:
        """Set up; who has not sealed the images is asked to, once."""
        try:
            self.answer()
        except KhibError as error:
            self.refuse(error)
            return
        if not self.bare:
            self.flow.travel(None)
            return
        choices = [("Seal the images", self.flow.seal), ("Set up without a seal", lambda: self.flow.travel(None))]
        self.window.ask("Seal the images first?", BARE, choices)


def review(task: Task, flow: Flow) -> list[AbstractFlowWidget]:
    """Format both plans, whether images are sealed, and the warnings."""
    severity = Severity.OK if task.choice.sealed else Severity.WARNING
    warnings = [finding for finding in task.choice.findings if finding.severity == Severity.WARNING]
    return [
        *(widgets.item(widgets.mark("warning"), widgets.finding_text(finding), "warning") for finding in warnings),
        widgets.item(widgets.mark(severity), flow.seal_text(), severity),
        urwid.Padding(widgets.button("Seal the images", flow.seal), left=7, width=19),
        Text(("heading", "Set up, once:")),
        *steps(build.setup(task.choice, flow.path)),
        Text(("heading", "Each hibernation:")),
        *steps(task.journey),
    ]


def steps(actions: list[Action]) -> list[AbstractFlowWidget]:
    """Format the steps as they will be applied."""
    return [widgets.item(f"{step.number:2}.", step.text) for step in build.describe(actions)]
