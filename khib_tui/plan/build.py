"""From a decision to steps. `khib plan`, `--dry-run`, the review page and the run itself all use what is made here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from khib_tui.decide.choice import Choice
from khib_tui.events.types import Status, Step
from khib_tui.handover.handover import Mode
from khib_tui.model.settings import PATH
from khib_tui.plan.boot import WriteBootEntry
from khib_tui.plan.hibernate import CloseImage, Jump, LoadSaver, Unload, WriteBack
from khib_tui.plan.install import InstallSaver, KeepSettings
from khib_tui.plan.step import Action


def setup(choice: Choice, settings_path: Path = PATH, sealed: bool = False) -> list[Action]:
    """Give the steps of the set-up."""
    install = InstallSaver(choice.kernel, choice.settings)
    return [install, WriteBootEntry(choice, sealed), KeepSettings(choice.settings, settings_path)]


def journey(choice: Choice, mode: Mode, sealed: bool = False) -> list[Action]:
    """Give the steps of a hibernation or a rehearsal; for a sealed image the run needs the opened seal."""
    saves = mode is not Mode.REHEARSE
    return [
        InstallSaver(choice.kernel, choice.settings),
        *([WriteBootEntry(choice, sealed)] if mode is Mode.SAVE else []),
        LoadSaver(choice, mode, sealed),
        WriteBack(),
        Jump(choice, mode, sealed),
        Unload(),
        *([CloseImage(choice)] if saves else []),
    ]


def describe(actions: Sequence[Action]) -> list[Step]:
    """Give the steps as events, just as they would be applied."""
    return [Step(number, len(actions), action.describe(), Status.PLANNED) for number, action in enumerate(actions, 1)]
