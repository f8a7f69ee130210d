"""What a page of the wizard knows of the wizard: the machine, the answers so far, and where one can go from here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from khib_tui.decide.rehearsals import Now
from khib_tui.handover.handover import Mode
from khib_tui.model.journey import Journey
from khib_tui.model.machine import Machine
from khib_tui.model.settings import Settings
from khib_tui.model.target import Target
from khib_tui.plan.step import Action
from khib_tui.plan.task import Ending, Errand
from screens.ui.window import Window


class Flow(Protocol):
    """`settings` are the answers so far, `kept` those that are in force, `path` is the file they are kept in.

    `editing` tells that one page is shown alone, to change one choice.
    """

    window: Window
    machine: Machine
    settings: Settings
    kept: Settings
    path: Path
    editing: bool

    @property
    def ready(self) -> bool:
        """Whether the machine is set up."""

    def go(self, at: int) -> None:
        """Show a page of the wizard by its number."""

    def review(self) -> None:
        """Show the last page of the wizard."""

    def keep(self, settings: Settings) -> None:
        """Keep the answers of a page without going anywhere."""

    def forget(self) -> None:
        """Go back to the choices that are in force, and home."""

    def forward(self, settings: Settings) -> None:
        """Keep the answers of a page, and go on."""

    def back(self) -> None:
        """Go back a page."""

    def home(self) -> None:
        """Show the everyday page."""

    def images(self) -> None:
        """Show the images on the disks."""

    def seal(self) -> None:
        """Show the page that seals images."""

    def sealed(self, text: str) -> None:
        """Go back from sealing, and say what became of it."""

    def apply(self, actions: Sequence[Action], text: str) -> None:
        """Apply steps that take but a moment, then go back from sealing and say `text`; an error stays on the page."""

    def seal_text(self) -> str:
        """Return whether images will be sealed, in words."""

    def look_again(self, show: Callable[[], None]) -> None:
        """Read the facts of the machine again, then show a page."""

    def inspect(self, target: Target, need: int, then: Callable[[], None]) -> None:
        """See that a target's file can be written, with `need` bytes, then go on; what forbids it is shown."""

    @property
    def journeys(self) -> list[Journey]:
        """What is remembered of rehearsals and hibernations, the oldest first."""

    @property
    def now(self) -> Now:
        """What runs now, to judge them by."""

    def rehearse(self) -> None:
        """Show the rehearsals."""

    def echo(self) -> None:
        """Rehearse the echo."""

    def history(self) -> None:
        """Show the earlier journeys."""

    def choices(self) -> None:
        """Show the choices."""

    def edit(self, at: int) -> None:
        """Show one page of the wizard, from which one comes back to the choices."""

    def travel(self, mode: Mode | None) -> None:
        """Set up, rehearse or hibernate."""

    def arrived(self, task: Errand, ending: Ending) -> None:
        """Show how it ended."""

    def leave(self) -> None:
        """End the program."""
