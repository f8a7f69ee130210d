"""From a decision to steps. `khib plan`, `--dry-run`, the review page and the run itself all use what is made here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from khib_tui.decide.choice import Choice
from khib_tui.decide.screen import screen
from khib_tui.decide.target import filesystem
from khib_tui.events.types import Status, Step
from khib_tui.handover.handover import Mode
from khib_tui.model.machine import NO_DISPLAY
from khib_tui.model.remote import Scheme
from khib_tui.plan import desktop, guard, nextboot
from khib_tui.plan.around import HOOKS, SLEEP_HOOKS, FreezeSessions, RunHooks, TellDrivers
from khib_tui.plan.boot import entries
from khib_tui.plan.close import CloseImage
from khib_tui.plan.guard import InstallGuard
from khib_tui.plan.hibernate import Jump, LoadSaver, Unload, WriteBack
from khib_tui.plan.inhibit import Inhibit
from khib_tui.plan.install import InstallSaver, KeepSettings
from khib_tui.plan.ownfile import MakeFile, TakeFile
from khib_tui.plan.remote import MakeKey, TakeRemote
from khib_tui.plan.step import Action
from khib_tui.plan.swap import HaveSwapBack, LendSwap, TakeSwap
from khib_tui.plan.take import TakeTarget


def setup(choice: Choice, settings_path: Path) -> list[Action]:
    """Return the steps of the set-up."""
    keep = KeepSettings(choice.settings, settings_path)
    guards = guard.steps(choice)
    first = install(choice, next((step for step in guards if isinstance(step, InstallGuard)), None))
    return [*place(choice), first, *entries(choice), *guards, *desktop.steps(choice), keep]


def place(choice: Choice) -> list[Action]:
    """Return the steps that make the target ready; a partition only has to be there."""
    target = choice.target
    if target and target.own:
        return [MakeFile(choice), TakeFile(choice)]
    if target and target.remote and target.remote.scheme is Scheme.SSH:
        return [MakeKey(target.remote), *take(choice)]
    return [TakeSwap(choice)] if target and target.swap else take(choice)


def take(choice: Choice) -> list[Action]:
    """Return the step that takes the target; a plain rehearsal has none."""
    if choice.target and choice.target.own:
        return [TakeFile(choice, again=True)]
    if choice.target and choice.target.swap:
        return [TakeSwap(choice, again=True)]
    if choice.target and choice.target.remote:
        return [TakeRemote(choice, choice.target.remote)]
    return [TakeTarget(choice)] if choice.target else []


def install(choice: Choice, guard: InstallGuard | None = None) -> InstallSaver:
    """Return the step that installs B and C, with what the target's filesystem and the screen need.

    :param guard: what follows, and needs room too.
    """
    shown = screen(choice.machine, choice.kernel, choice.region)
    display = choice.machine.display if shown.module else NO_DISPLAY
    return InstallSaver(choice.kernel, choice.settings, filesystem(choice.machine, choice.settings), display, guard)


def journey(choice: Choice, mode: Mode, *, from_systemd: bool = False) -> list[Action]:
    """Return the steps of a hibernation or a rehearsal; for a sealed image they need the opened seal.

    :param from_systemd: khib does what systemd-sleep would do around it.
    """
    lent = bool(choice.target and choice.target.swap)
    return [
        *([Inhibit(sleep=not from_systemd)] if choice.machine.systemd else []),
        *([RunHooks(SLEEP_HOOKS)] if from_systemd else []),
        *([RunHooks((HOOKS,))] if HOOKS.is_dir() else []),
        *take(choice),
        install(choice),
        *(entries(choice) if mode is Mode.SAVE else []),
        *([LendSwap(choice)] if lent else []),
        LoadSaver(choice, mode),
        WriteBack(),
        *([FreezeSessions()] if from_systemd else []),
        TellDrivers(),
        *(nextboot.steps(choice) if mode is Mode.SAVE else []),
        Jump(choice, mode),
        Unload(),
        *([CloseImage(choice)] if mode.saves else []),
        *([HaveSwapBack(choice)] if lent else []),
    ]


def describe(actions: Sequence[Action]) -> list[Step]:
    """Return the steps as events, just as they would be applied."""
    return [Step(number, len(actions), action.describe(), Status.PLANNED) for number, action in enumerate(actions, 1)]
