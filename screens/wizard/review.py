"""Step 7: all steps, word for word as they will be done."""

from __future__ import annotations

from urwid.widget import AbstractFlowWidget

from khib_tui.errors import KhibError
from khib_tui.events.types import Failure, Severity
from khib_tui.handover.handover import Mode
from khib_tui.i18n import N_, _
from khib_tui.model.settings import Settings
from khib_tui.plan import build
from khib_tui.plan.step import Action
from khib_tui.plan.task import Task, task_of
from khib_tui.seal import file as sealfile
from screens.ui import keys, widgets
from screens.ui.shown import Text
from screens.wizard.flow import Flow
from screens.wizard.step import StepPage

BARE = N_(
    "Without a seal, {why}. That is all that is in memory: open documents, passwords, and the keys of "
    "encrypted disks.\n\nWith a seal, resuming asks for a passphrase."
)


class ReviewPage(StepPage):
    """What 'Set up' does, and what each hibernation does."""

    title = N_("Review")
    help = N_(
        "Set up: installs saver and boot entry and keeps the choices; the running system is not touched. "
        "Rehearse: jumps into the saver and comes back. Hibernate now: sets up if need be, saves, and goes; "
        "it asks once more. Seal the images: encrypts the images of later hibernations with a passphrase."
    )
    keys = keys.LIST
    forward_label = N_("Set up")

    def __init__(self, flow: Flow, note: str = "") -> None:
        try:
            task = task_of(flow.machine, flow.settings, flow.path, Mode.SAVE, keep=True, need_memory=False)
            rows = review(task, flow)
            self.refused: KhibError | None = None
            self.bare = not task.choice.sealed
        except KhibError as error:
            rows, self.refused, self.bare = [widgets.line(Failure.of(error).text, "blocker")], error, False
        more = [(_("Rehearse"), flow.rehearse), (_("Hibernate now"), lambda: flow.travel(Mode.SAVE))]
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
        choices = [(_("Seal the images"), self.flow.seal), (_("Set up without a seal"), lambda: self.flow.travel(None))]
        self.window.ask(_("Seal the images first?"), _(BARE).format(why=sealfile.unsealed().why), choices)


def review(task: Task, flow: Flow) -> list[AbstractFlowWidget]:
    """Format both plans, whether images are sealed, and the warnings."""
    severity = Severity.OK if task.choice.sealed else Severity.WARNING
    warnings = [finding for finding in task.choice.findings if finding.severity == Severity.WARNING]
    return [
        *(widgets.item(widgets.mark("warning"), widgets.finding_text(finding), "warning") for finding in warnings),
        widgets.item(widgets.mark(severity), flow.seal_text(), severity),
        widgets.alone(_("Seal the images"), flow.seal, 7),
        Text(("heading", _("Set up, once:"))),
        *steps(build.setup(task.choice, flow.path)),
        Text(("heading", _("Each hibernation:"))),
        *steps(task.journey),
    ]


def steps(actions: list[Action]) -> list[AbstractFlowWidget]:
    """Format the steps as they will be applied."""
    return [widgets.item(f"{step.number:2}.", step.text) for step in build.describe(actions)]
