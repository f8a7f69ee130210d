"""What each command does, as a function of its arguments and a sink for events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from khib_tui.commands.common import machine_for, machine_of, settings_of
from khib_tui.decide.choice import judge
from khib_tui.decide.findings import blockers
from khib_tui.errors import Exit
from khib_tui.events.types import Message, Result, Sink
from khib_tui.i18n import N_, _
from khib_tui.model import machine
from khib_tui.plan.boot import is_set_up
from khib_tui.seal import file as sealfile

if TYPE_CHECKING:
    from argparse import Namespace

    from khib_tui.model.machine import Machine
    from khib_tui.model.settings import Settings

FOREIGN = N_("these are facts of another machine: what is set up and saved there cannot be seen from here")


def check(arguments: Namespace, sink: Sink) -> int:
    """Tell whether this machine can hibernate."""
    chosen = settings_of(arguments)
    findings = judge(machine_for(arguments, chosen), chosen)
    for finding in findings:
        sink(finding)
    blocked = len(blockers(findings))
    text = (
        _("{blocked} of {count} checks failed").format(blocked=blocked, count=len(findings))
        if blocked
        else _("this machine can hibernate")
    )
    sink(Result("check", not blocked, text))
    return Exit.REFUSED if blocked else Exit.OK


def facts(arguments: Namespace, sink: Sink) -> int:
    """Print the facts as JSON."""
    print(machine.dump(machine_of(arguments)).decode(), end="")
    return Exit.OK


def status(arguments: Namespace, sink: Sink) -> int:
    """Tell what is set up, loaded, saved and remembered; on the restoring kernel only what images there are."""
    from khib_tui.restorer import here

    if here.is_restorer():
        return status_of_restorer(sink)
    from khib_tui.target import catalog

    machine_, kept, other = machine_of(arguments), settings_of(arguments), bool(arguments.facts)
    sealed = sealfile.path_beside(arguments.settings).exists()
    ready = not other and is_set_up(machine_, kept)
    sink(Message(_(FOREIGN) if other else _("set up: {answer}").format(answer=_("yes") if ready else _("no, run khib"))))
    sink(Message(_("target: {target}").format(target=kept.target or _("not chosen"))))
    sink(Message(_("images are sealed: {answer}").format(answer=_("yes") if sealed else _("no, run khib seal"))))
    sink(Message(_("a jump is loaded: {answer}").format(answer=_("yes") if machine_.kexec_loaded else _("no"))))
    past = {} if other else remembered(arguments, machine_, kept, sink)
    images = [] if other else catalog.images(machine_)
    for item in images:
        sink(Message(catalog.line(item)))
    data = {
        "ready": ready, "target": kept.target, "loaded": machine_.kexec_loaded, "sealed": sealed,
        "images": [catalog.facts(item) for item in images], **past,
    }  # fmt: skip
    sink(Result("status", True, "" if images or other else catalog.none_found(machine_), data))
    return Exit.OK


def status_of_restorer(sink: Sink) -> int:
    """Tell which images there are: nothing of the system's set-up can be seen from here."""
    from khib_tui.facts import blockdev
    from khib_tui.handover.cmdline import Words
    from khib_tui.target import catalog

    sink(Message(_("this is the restoring kernel: `khib` is its menu, `khib restore` resumes")))
    images = catalog.search(blockdev.devices(), Words.read().image)
    for item in images:
        sink(Message(catalog.line(item)))
    data = {"restorer": True, "images": [catalog.facts(item) for item in images]}
    sink(Result("status", True, "" if images else _("there is no image on any disk"), data))
    return Exit.OK


def remembered(arguments: Namespace, machine_: Machine, kept: Settings, sink: Sink) -> dict[str, Any]:
    """Tell what was tried, and give it with all journeys as the result has it."""
    from khib_tui.decide import rehearsals
    from khib_tui.plan.journal import Journal
    from khib_tui.plan.now import now

    journeys, here = Journal.beside(arguments.settings).all(), now(machine_, kept)
    tried = rehearsals.judge(journeys, here)
    for step in tried:
        sink(Message(f"{step.rung}: {step.text}"))
    return {
        "rehearsed": {step.rung: {"good": step.good, "text": step.text} for step in tried},
        "history": [msgspec.to_builtins(item) | {"rate": item.rate} for item in journeys],
    }
