"""From a decision to steps. `khib plan`, `--dry-run`, the review page and the run itself all use what is made here."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from khib_tui.decide import Choice
from khib_tui.events.types import Sink, Step
from khib_tui.handover import Mode
from khib_tui.model.settings import PATH
from khib_tui.steps.base import Action, Run
from khib_tui.steps.install import InstallSaver, KeepSettings, WriteBootEntry
from khib_tui.steps.journey import CloseImage, Jump, LoadSaver, Unload, WriteBack


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
    return [Step(number, len(actions), action.describe(), "planned") for number, action in enumerate(actions, 1)]


def execute(actions: Sequence[Action], run: Run, sink: Sink) -> None:
    """Apply the steps in order, and undo what can be undone when one fails.

    :raises KhibError: as the failing step says.
    """
    for number, action in enumerate(actions, 1):
        started = time.monotonic()
        try:
            sink(Step(number, len(actions), action.describe(), "started"))
            action.apply(run)
        except BaseException:
            sink(Step(number, len(actions), action.describe(), "failed", time.monotonic() - started))
            run.undo()
            raise
        sink(Step(number, len(actions), action.describe(), "done", time.monotonic() - started))
