"""`khib plan`, `setup`, `rehearse` and `hibernate`."""

from __future__ import annotations

from argparse import Namespace

from khib_tui.commands.common import machine_of, settings_of, show_plan
from khib_tui.decide.choice import decide
from khib_tui.errors import Exit
from khib_tui.events.types import Message, Result, Sink
from khib_tui.handover.handover import Mode
from khib_tui.model.units import size
from khib_tui.plan import build
from khib_tui.plan.execute import execute
from khib_tui.plan.outcome import arrived
from khib_tui.plan.step import Context
from khib_tui.seal import file as sealfile


def make_plan(arguments: Namespace, sink: Sink) -> int:
    """Show what would be done."""
    choice = decide(machine_of(arguments), settings_of(arguments), need_memory=False)
    sealed = sealfile.load(sealfile.path_beside(arguments.settings)) is not None
    region = choice.region
    sink(Message(f"kernel of saver and restorer: {choice.kernel.release} ({choice.kernel.path})"))
    sink(Message(f"their memory: {size(region.own.total)} of {size(region.ram.total)}"))
    sink(Message(f"to be saved: {size(region.saved.total)} at most, to {choice.target}"))
    sink(Message("memory words of the restorer: " + " ".join(choice.words)))
    show_plan(choice, build.journey(choice, Mode.SAVE, sealed), sink)
    data = {
        "kernel": choice.kernel.path, "region": region.own.spans, "saved_bytes": region.saved.total,
        "target": str(choice.target), "words": choice.words, "sealed": sealed,
    }  # fmt: skip
    sink(Result("plan", True, "", data))
    return Exit.OK


def setup(arguments: Namespace, sink: Sink) -> int:
    """Install saver and boot entry, and keep the choices."""
    choice = decide(machine_of(arguments), settings_of(arguments), need_memory=False)
    sealed = sealfile.load(sealfile.path_beside(arguments.settings)) is not None
    actions = build.setup(choice, arguments.settings, sealed)
    if arguments.dry_run:
        show_plan(choice, actions, sink)
        return Exit.OK
    execute(actions, Context(sink, choice.machine), sink)
    sink(Result("setup", True, "ready: try `khib rehearse`, then `khib hibernate`"))
    return Exit.OK


def rehearse(arguments: Namespace, sink: Sink) -> int:
    """Jump into B and back."""
    return travel(arguments, sink, Mode.REHEARSE_SAVE if arguments.save else Mode.REHEARSE)


def hibernate(arguments: Namespace, sink: Sink) -> int:
    """Save the running system, power off, and report after the resume."""
    return travel(arguments, sink, Mode.SAVE)


def travel(arguments: Namespace, sink: Sink, mode: Mode) -> int:
    """Decide, open the seal if there is one, and apply the steps of a journey."""
    from khib_tui.seal.unlock import opened

    choice = decide(machine_of(arguments), settings_of(arguments), need_target=mode is not Mode.REHEARSE)
    seal = sealfile.load(sealfile.path_beside(arguments.settings)) if mode is not Mode.REHEARSE else None
    if mode is not Mode.REHEARSE and seal is None:
        sink(sealfile.UNSEALED)
    actions = build.journey(choice, mode, seal is not None)
    if arguments.dry_run:
        show_plan(choice, actions, sink)
        return Exit.OK
    context = Context(sink, choice.machine, opened(seal, arguments.key_file))
    execute(actions, context, sink)
    return arrived(context, sink, mode)
