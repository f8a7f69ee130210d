"""What stands in for the wizard behind one page: it goes nowhere, and notes where the page wanted to go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from khib_tui.decide.rehearsals import Now
from khib_tui.handover.handover import Mode
from khib_tui.model.journey import Journey
from khib_tui.model.machine import Machine
from khib_tui.model.settings import Settings
from khib_tui.model.target import Target
from khib_tui.plan.step import Action
from khib_tui.plan.task import Ending, Errand
from screens.ui.window import Window
from tests.kit.machines import BIOS
from tests.kit.screens_kit import DrivenScreen

Asked = tuple[object, ...]


class FakeFlow:
    """A Flow (`screens/wizard/flow.py`): `asked` are the calls in their order, each as its name and what it was given.

    :param given: choices of the user.
    """

    def __init__(self, directory: Path, machine: Machine = BIOS, size: tuple[int, int] = (80, 24), **given: object) -> None:
        self.window = Window(DrivenScreen(size=size))
        self.machine = machine
        choices = {"boot_dir": str(directory), "target": "/dev/vdb1", **given}
        self.settings = self.kept = msgspec.convert(choices, Settings)
        self.path = directory / "khib.toml"
        self.ready = self.editing = False
        self.journeys: list[Journey] = []
        self.now = Now("uptime", machine.release, machine.kernels[0].release if machine.kernels else "")
        self.asked: list[Asked] = []
        self.inspected: list[tuple[Target, int]] = []

    def go(self, at: int) -> None:
        """Note it."""
        self.asked.append(("go", at))

    def review(self) -> None:
        """Note it."""
        self.asked.append(("review",))

    def keep(self, settings: Settings) -> None:
        """Keep the answers."""
        self.settings = settings

    def forget(self) -> None:
        """Note it."""
        self.asked.append(("forget",))

    def forward(self, settings: Settings) -> None:
        """Note it."""
        self.asked.append(("forward", settings))

    def back(self) -> None:
        """Note it."""
        self.asked.append(("back",))

    def home(self) -> None:
        """Note it."""
        self.asked.append(("home",))

    def images(self) -> None:
        """Note it."""
        self.asked.append(("images",))

    def seal(self) -> None:
        """Note it."""
        self.asked.append(("seal",))

    def sealed(self, text: str) -> None:
        """Note it."""
        self.asked.append(("sealed", text))

    def apply(self, actions: Sequence[Action], text: str) -> None:
        """Note it."""
        self.asked.append(("apply", tuple(actions), text))

    def seal_text(self) -> str:
        """Return something to look for."""
        return "What the flow says of the seal."

    def look_again(self, show: Callable[[], None]) -> None:
        """Note it, and find the machine unchanged."""
        self.asked.append(("look_again",))
        show()

    def inspect(self, target: Target, need: int, then: Callable[[], None]) -> None:
        """Note it apart, and find nothing against it."""
        self.inspected.append((target, need))
        then()

    def rehearse(self) -> None:
        """Note it."""
        self.asked.append(("rehearse",))

    def echo(self) -> None:
        """Note it."""
        self.asked.append(("echo",))

    def history(self) -> None:
        """Note it."""
        self.asked.append(("history",))

    def choices(self) -> None:
        """Note it."""
        self.asked.append(("choices",))

    def edit(self, at: int) -> None:
        """Note it."""
        self.asked.append(("edit", at))

    def travel(self, mode: Mode | None) -> None:
        """Note it."""
        self.asked.append(("travel", mode))

    def arrived(self, task: Errand, ending: Ending) -> None:
        """Note it."""
        self.asked.append(("arrived", task, ending))

    def leave(self) -> None:
        """Note it."""
        self.asked.append(("leave",))
