"""`khib plan`, `rehearse` and `hibernate`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from khib_tui.commands import foreign
from khib_tui.commands.common import machine_for, machine_of, settings_of, show_plan
from khib_tui.errors import Exit
from khib_tui.events.types import Failure, Message, Result, Sink
from khib_tui.handover.handover import Mode
from khib_tui.i18n import _
from khib_tui.model.units import size
from khib_tui.plan.ownfile import TakeFile
from khib_tui.plan.step import Action
from khib_tui.plan.take import TakeTarget
from khib_tui.plan.task import Task, run_task, task_of

if TYPE_CHECKING:
    from argparse import Namespace


def make_plan(arguments: Namespace, sink: Sink) -> int:
    """Show what would be done."""
    task = decided(arguments, Mode.SAVE, need_memory=False)
    choice, region = task.choice, task.choice.region
    sink(
        Message(
            _("kernel of saver and restorer: {release} ({kernel})").format(
                release=choice.kernel.release, kernel=choice.kernel.path
            )
        )
    )
    sink(Message(_("their memory: {size} of {total}").format(size=size(region.own.total), total=size(region.ram.total))))
    sink(Message(_("to be saved: {size} at most, to {target}").format(size=size(region.saved.total), target=choice.target)))
    sink(Message(_("memmap= parameters of the restorer: ") + " ".join(choice.words)))
    show_plan(task.actions, sink)
    data = {
        "kernel": choice.kernel.path, "region": region.own.spans, "saved_bytes": region.saved.total,
        "target": str(choice.target), "words": choice.words, "sealed": choice.sealed,
    }  # fmt: skip
    sink(Result("plan", True, "", data))
    return Exit.OK


def rehearse(arguments: Namespace, sink: Sink) -> int:
    """Jump into B and back, or only to one page and back."""
    if arguments.echo:
        return rehearse_echo(arguments, sink)
    return travel(arguments, sink, Mode.REHEARSE_SAVE if arguments.save else Mode.REHEARSE)


def rehearse_echo(arguments: Namespace, sink: Sink) -> int:
    """Freeze the devices, jump, and come straight back."""
    from khib_tui.plan import echo

    task = echo.echo_task(machine_of(arguments), arguments.settings)
    if arguments.dry_run:
        show_plan(task.actions, sink)
        return Exit.OK
    foreign.refuse_steps(arguments)
    return run_task(task, sink)


def hibernate(arguments: Namespace, sink: Sink) -> int:
    """Save the running system, power off, and report after the resume."""
    if not arguments.from_systemd:
        return travel(arguments, sink, Mode.SAVE)
    try:
        return travel(arguments, sink, Mode.SAVE)
    except Exception as error:
        from khib_tui.plan.around import tell_desktops

        tell_desktops(Failure.of(error).message)
        raise


def decided(arguments: Namespace, mode: Mode | None, *, need_memory: bool = True) -> Task:
    """Return the task that was asked for."""
    chosen = settings_of(arguments)
    from_systemd = bool(vars(arguments).get("from_systemd"))
    here = machine_for(arguments, chosen)
    return task_of(here, chosen, arguments.settings, mode, need_memory=need_memory, from_systemd=from_systemd)


def travel(arguments: Namespace, sink: Sink, mode: Mode | None) -> int:
    """Decide, open the seal if there is one, and run."""
    task = decided(arguments, mode)
    for finding in task.warnings:
        sink(finding)
    for line in known_before(task, arguments) if mode is Mode.SAVE and not arguments.facts else []:
        sink(Message(line))
    if arguments.dry_run:
        if task.choice.machine.root and not arguments.facts:
            look(task.actions)
        show_plan(task.actions, sink)
        return Exit.OK
    from khib_tui.seal.unlock import opened

    seal = opened(task.seal, arguments.key_file) if task.seal else None
    foreign.refuse_steps(arguments)
    return run_task(task, sink, seal)


def known_before(task: Task, arguments: Namespace) -> list[str]:
    """Return what is to be known before a hibernation."""
    from khib_tui.decide.before import before
    from khib_tui.plan.journal import Journal
    from khib_tui.plan.now import now

    choice = task.choice
    return before(choice, Journal.beside(arguments.settings).all(), now(choice.machine, choice.settings))


def look(actions: Sequence[Action]) -> None:
    """See that the target's file can be written, which changes nothing.

    :raises KhibError: why it cannot.
    """
    for step in actions:
        if isinstance(step, TakeTarget):
            step.look()
        if isinstance(step, TakeFile):
            step.find()
