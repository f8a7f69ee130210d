"""From the answers to what is run, and from what happened to what the user reads. No urwid here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from khib_tui.decide.choice import Choice
from khib_tui.errors import Cancelled, Exit
from khib_tui.events.sinks import both
from khib_tui.events.types import Event, Failure, Result, Sink
from khib_tui.handover.handover import Mode
from khib_tui.model.settings import PATH
from khib_tui.plan import build
from khib_tui.plan.boot import WriteBootEntry
from khib_tui.plan.execute import execute
from khib_tui.plan.outcome import arrived
from khib_tui.plan.step import Action, Context
from khib_tui.seal.file import Opened
from khib_tui.seal.keyslots import Seal

TITLES = {
    None: "Setting up", Mode.SAVE: "Hibernating", Mode.REHEARSE: "Rehearsing the jump",
    Mode.REHEARSE_SAVE: "Rehearsing a hibernation",
}  # fmt: skip


@dataclass(frozen=True)
class Task:
    """What is to be run: the set-up, a journey, or one after the other.

    :param mode: of the journey; None for the set-up alone.
    :param keep: whether the choices are not kept yet, so that the set-up comes first.
    :param seal: of the image, if it is to be sealed; `opened` must be there too before it runs.
    """

    choice: Choice
    mode: Mode | None
    keep: bool = False
    settings_path: Path = PATH
    seal: Seal | None = None
    opened: Opened | None = None

    @property
    def title(self) -> str:
        """Say what it is."""
        return TITLES[self.mode]

    @property
    def actions(self) -> list[Action]:
        """Give the steps, each once."""
        sealed = self.seal is not None
        actions = build.setup(self.choice, self.settings_path, sealed) if self.keep or self.mode is None else []
        return [*actions, *(step for step in self.journey if step not in actions)]

    @property
    def journey(self) -> list[Action]:
        """Give the steps of the journey alone."""
        return build.journey(self.choice, self.mode, self.seal is not None) if self.mode else []

    @property
    def entry(self) -> str:
        """Give the name that the boot menu shows."""
        return WriteBootEntry(self.choice).entry().title

    def run(self, sink: Sink) -> Ending:
        """Do it; errors become what the user reads."""
        results: list[Result] = []
        keep = both(sink, lambda event: _keep(results, event))
        try:
            context = Context(sink, self.choice.machine, self.opened)
            execute(self.actions, context, keep)
            if self.mode:
                arrived(context, keep, self.mode)
        except Exception as error:
            return failed(error)
        if self.mode is None:
            text = f"Everything is in place; the boot menu has a new entry '{self.entry}'."
            return Ending("Set up", f"{text}\n\nRehearse before you rely on it.")
        return Ending("This system is back", results[-1].text if results else "")


@dataclass(frozen=True)
class Ending:
    """How a run ended, for the result page."""

    title: str
    text: str
    code: int = int(Exit.OK)


def _keep(results: list[Result], event: Event) -> None:
    if isinstance(event, Result):
        results.append(event)


def failed(error: Exception) -> Ending:
    """Say an error, whether something is lost, and what to do now."""
    code = Failure.of(error).exit_code
    if isinstance(error, Cancelled):
        return Ending("Cancelled", f"{error.message}.\n\nNothing is lost: this session goes on.", code)
    safe = "This session goes on as it was."
    return Ending("It did not work", f"{Failure.of(error).text}\n\n{safe}\n\nYou can try again, or run `khib check`.", code)
