"""What a user reads of a task: how one goes on after a hibernation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from khib_tui.decide.choice import Choice
from khib_tui.handover.handover import Mode
from khib_tui.model.boot import BootFacts, Folder, Loader, LoaderKind
from khib_tui.plan.task import Task


def later(choice: Choice) -> str:
    return Task(choice, Mode.SAVE, Path("/etc/khib/khib.toml")).later


def test_where_nothing_starts_the_restorer_a_hand_has_to(choice_of: Callable[..., Choice]) -> None:
    text = later(choice_of())
    assert "choose 'Resume the hibernated system (khib)' in the boot menu" in text and "by itself" not in text


def test_where_firmware_or_loader_is_told_it_comes_back_by_itself(choice_of: Callable[..., Choice]) -> None:
    choice = choice_of()
    folder = Folder(choice.settings.boot_dir, uuid="u")
    machine = msgspec.structs.replace(choice.machine, boot=BootFacts(grub=folder, grub_env=True))
    loader = Loader(LoaderKind.GRUB_BLS, Path("/boot/loader/entries/x.conf"), folder)
    told = later(Choice(machine, choice.settings, choice.kernel, choice.region, choice.target, (), loader))
    assert "it resumes by itself" in told and "'Resume the hibernated system (khib)' in the boot menu does the same" in told
