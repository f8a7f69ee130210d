"""What each command does, as a function of its arguments and a sink for events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from khib_tui.commands.common import machine_for, machine_of, settings_of
from khib_tui.decide.choice import judge
from khib_tui.decide.findings import blockers
from khib_tui.errors import Exit
from khib_tui.events.types import Message, Result, Sink
from khib_tui.model import machine
from khib_tui.plan.boot import is_set_up
from khib_tui.seal import file as sealfile

if TYPE_CHECKING:
    from argparse import Namespace


def check(arguments: Namespace, sink: Sink) -> int:
    """Tell whether this machine can hibernate."""
    chosen = settings_of(arguments)
    findings = judge(machine_for(arguments, chosen), chosen)
    for finding in findings:
        sink(finding)
    blocked = len(blockers(findings))
    text = f"{blocked} of {len(findings)} checks failed" if blocked else "this machine can hibernate"
    sink(Result("check", not blocked, text))
    return Exit.REFUSED if blocked else Exit.OK


def facts(arguments: Namespace, sink: Sink) -> int:
    """Print the facts as JSON."""
    print(machine.dump(machine_of(arguments)).decode(), end="")
    return Exit.OK


def status(arguments: Namespace, sink: Sink) -> int:
    """Tell what is set up, loaded and saved."""
    from khib_tui.target import catalog

    here = machine_of(arguments)
    kept = settings_of(arguments)
    other = bool(arguments.facts)
    ready = not other and is_set_up(here, kept)
    if other:
        sink(Message("these are facts of another machine: what is set up and saved there cannot be seen from here"))
    else:
        sink(Message(f"set up: {'yes' if ready else 'no, run khib'}"))
    sink(Message(f"target: {kept.target or 'not chosen'}"))
    sealed = sealfile.path_beside(arguments.settings).exists()
    sink(Message(f"images are sealed: {'yes' if sealed else 'no, run khib seal'}"))
    sink(Message(f"a jump is loaded: {'yes' if here.kexec_loaded else 'no'}"))
    images = [] if other else catalog.images(here)
    for item in images:
        sink(Message(catalog.line(item)))
    listed = [catalog.facts(item) for item in images]
    data = {"ready": ready, "target": kept.target, "loaded": here.kexec_loaded, "sealed": sealed, "images": listed}
    sink(Result("status", True, "" if images or other else catalog.none_found(here), data))
    return Exit.OK
