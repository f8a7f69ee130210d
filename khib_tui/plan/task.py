"""From the answers to what is run, and from what happened to what the user reads: for the command line and the wizard."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from msgspec import Struct

from khib_tui.decide.choice import Choice, decide
from khib_tui.decide.forecast import used_now
from khib_tui.errors import Cancelled, Exit
from khib_tui.events.sinks import both
from khib_tui.events.types import Event, Failure, Finding, Result, Sink
from khib_tui.facts.uptime import boot_id
from khib_tui.handover.handover import Mode
from khib_tui.i18n import N_, _
from khib_tui.model.journey import Journey, Rung
from khib_tui.model.machine import Machine
from khib_tui.model.settings import Settings
from khib_tui.plan import build, desktop
from khib_tui.plan.execute import execute, judged
from khib_tui.plan.later import later
from khib_tui.plan.outcome import arrived, welcome
from khib_tui.plan.remember import remembered
from khib_tui.plan.seal import KeepSeal
from khib_tui.plan.step import Action, Context
from khib_tui.seal import file as sealfile
from khib_tui.seal.file import Opened
from khib_tui.seal.keyslots import Seal

TITLES = {
    None: N_("Setting up"), Mode.SAVE: N_("Hibernating"), Mode.REHEARSE: N_("Rehearsing the jump"),
    Mode.REHEARSE_SAVE: N_("Rehearsing a hibernation"),
}  # fmt: skip
RUNGS = {None: None, Mode.REHEARSE: Rung.JUMP, Mode.REHEARSE_SAVE: Rung.SAVE, Mode.SAVE: Rung.TRIP}


class Errand(Protocol):
    """What can be run and is remembered: a task, or the echo, which knows no saver.

    `rung` is how far it goes, None for a set-up alone; `keep` tells whether the choices are kept first.
    """

    @property
    def title(self) -> str:
        """What it is."""

    @property
    def rung(self) -> Rung | None:
        """How far it goes."""

    @property
    def keep(self) -> bool:
        """Whether it keeps the choices first."""

    @property
    def settings_path(self) -> Path:
        """Where the choices are kept."""

    @property
    def actions(self) -> list[Action]:
        """The steps."""

    @property
    def record(self) -> Journey | None:
        """What is known of the journey before; None if there is none."""

    @property
    def after(self) -> str:
        """What is to be known once it went well, beside the result; may be empty."""

    def tell(self, context: Context, sink: Sink) -> int:
        """Tell how it went; returns the exit code.

        :raises KhibError: it did not go well.
        """


class Task(Struct, frozen=True):
    """What is to be run: the set-up, a journey, or one after the other.

    :param mode: of the journey; None for the set-up alone.
    :param keep: whether the choices are not kept yet, so that the set-up comes first.
    :param seal: what the image is sealed with; whoever runs the task opens it before.
    :param sealing: makes the seal of later images, before all else.
    :param from_systemd: systemd runs it.
    """

    choice: Choice
    mode: Mode | None
    settings_path: Path
    keep: bool = False
    seal: Seal | None = None
    sealing: KeepSeal | None = None
    from_systemd: bool = False

    @property
    def title(self) -> str:
        """What it is."""
        return _(TITLES[self.mode])

    @property
    def rung(self) -> Rung | None:
        """How far it goes; None for the set-up alone."""
        return RUNGS[self.mode]

    @property
    def record(self) -> Journey | None:
        """What is known of the journey before; None for the set-up."""
        choice, rung = self.choice, self.rung
        if rung is None:
            return None
        return Journey(
            rung, 0.0, boot_id=boot_id(), release=choice.machine.release, saver=choice.kernel.release,
            target=choice.settings.target if rung is not Rung.JUMP else "", used=used_now(choice.machine),
            codec=choice.settings.codec,
        )  # fmt: skip

    @property
    def actions(self) -> list[Action]:
        """The steps, each once."""
        actions = build.setup(self.choice, self.settings_path) if self.keep or self.mode is None else []
        actions = [self.sealing, *actions] if self.sealing else actions
        return [*actions, *(step for step in self.journey if step not in actions)]

    @property
    def journey(self) -> list[Action]:
        """The steps of the journey alone."""
        return build.journey(self.choice, self.mode, from_systemd=self.from_systemd) if self.mode else []

    @property
    def warnings(self) -> list[Finding]:
        """What is to be known before it runs."""
        return [sealfile.unsealed()] if self.mode and self.mode.saves and not self.choice.sealed else []

    @property
    def later(self) -> str:
        """How one goes on after a hibernation, as the user reads it."""
        return later(self.choice)

    @property
    def after(self) -> str:
        """What is to be known after the set-up."""
        return self.later

    def tell(self, context: Context, sink: Sink) -> int:
        """Tell how it went; returns the exit code.

        :raises KhibError: as the report says.
        """
        if self.mode is None:
            sink(Result("setup", True, _("ready: try `khib rehearse`, then `khib hibernate`")))
            return Exit.OK
        return arrived(context.report, context.away_seconds, sink, self.mode)


def task_of(
    machine: Machine, settings: Settings, settings_path: Path, mode: Mode | None, *, keep: bool = False,
    need_memory: bool = True, sealing: KeepSeal | None = None, from_systemd: bool = False,
) -> Task:  # fmt: skip
    """Decide a task on the facts as they are: the only place that asks whether this machine seals its images.

    :param mode: of the journey; None for the set-up alone.
    :param sealing: makes the seal first.
    :raises KhibError: what forbids it.
    """
    seal = sealfile.load(sealfile.path_beside(settings_path))
    choice = decide(
        machine, settings, sealed=bool(seal or sealing), need_target=mode is not Mode.REHEARSE,
        need_memory=need_memory and mode is not None,
    )  # fmt: skip
    if mode is None or from_systemd:
        desktop.refuse_sealed(choice)
    return Task(choice, mode, settings_path, keep, seal if mode and mode.saves else None, sealing, from_systemd)


def run_task(task: Errand, sink: Sink, opened: Opened | None = None) -> int:
    """Run a task, remember it, and tell how it ended.

    :param opened: the task's seal, if it has one.
    :returns: the exit code.
    :raises KhibError: as the step that failed says.
    """
    context = Context(sink, opened)
    with remembered(task.settings_path, task.record, context, sink) as told:
        execute(task.actions, context, told)
        with judged(context):
            return task.tell(context, told)


class Ending(Struct, frozen=True):
    """How a run ended, for the result page."""

    title: str
    text: str
    code: int = int(Exit.OK)


def ending(task: Errand, sink: Sink, opened: Opened | None = None) -> Ending:
    """Run a task; errors become what the user reads."""
    results: list[Result] = []

    def keep(event: Event) -> None:
        if isinstance(event, Result):
            results.append(event)

    try:
        run_task(task, both(sink, keep), opened)
    except Exception as error:
        return failed(error)
    if task.rung is None:
        return Ending(
            _("Ready"), _("Everything is in place. Rehearse before you rely on it.\n\n{after}").format(after=task.after)
        )
    last = results[-1] if results else None
    title = welcome(last.data) if last and task.rung is Rung.TRIP else _("This system is back")
    return Ending(title, last.text if last else "")


def failed(error: Exception) -> Ending:
    """Format an error: whether something is lost, and what to do now."""
    told = Failure.of(error)
    if isinstance(error, Cancelled):
        return Ending(
            _("Cancelled"),
            _("{message}.\n\nNothing is lost: this session goes on.").format(message=error.message),
            told.exit_code,
        )
    safe = _("This session goes on as it was.")
    text = _("{text}\n\n{safe}\n\nYou can try again, or run `khib check`.").format(text=told.text, safe=safe)
    return Ending(_("It did not work"), text, told.exit_code)
