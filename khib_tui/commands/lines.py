"""The set-up as questions, a line each: for terminals that cannot move their cursor, and for those who listen to it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from khib_tui.commands import foreign
from khib_tui.commands.common import confirm, machine_for, settings_of, show_plan
from khib_tui.commands.seal import told
from khib_tui.decide import region, room, swapplace
from khib_tui.decide.choice import choose_kernel, image_limit, judge
from khib_tui.decide.findings import refuse
from khib_tui.decide.target import candidates
from khib_tui.errors import Cancelled, Refused
from khib_tui.events.types import Finding, Message, Severity, Sink
from khib_tui.i18n import _
from khib_tui.model import target as targets
from khib_tui.model.choices import After
from khib_tui.model.machine import Machine
from khib_tui.model.settings import Settings
from khib_tui.model.target import Target
from khib_tui.model.text import encodable, visible
from khib_tui.model.units import size
from khib_tui.plan.seal import KeepSeal
from khib_tui.plan.task import run_task, task_of
from khib_tui.seal import ask as secret
from khib_tui.seal import crypto
from khib_tui.seal import file as sealfile

if TYPE_CHECKING:
    from argparse import Namespace

Place = tuple[Target, list[Finding]]


def setup(arguments: Namespace, sink: Sink) -> int:
    """Ask what the wizard asks, show the steps, and set up once `yes` is typed.

    :raises Cancelled: it is not, or nobody can type.
    """
    chosen = settings_of(arguments)
    here = machine_for(arguments, chosen)
    findings = judge(here, chosen)
    for finding in findings:
        if finding.severity != Severity.OK:
            sink(finding)
    refuse(findings)
    chosen = msgspec.structs.replace(chosen, target=place(here, chosen, sink), plain=arguments.plain)
    chosen = msgspec.structs.replace(chosen, after=After(one_of(_("When the image is written"), [*After], chosen.after)))
    sealing, recovery = seal(arguments, sink)
    task = task_of(here, chosen, arguments.settings, None, sealing=sealing)
    show_plan(task.actions, sink)
    foreign.refuse_steps(arguments)
    confirm(_("Set up, with these steps?"))
    code = run_task(task, sink)
    if sealing and sealing.seal:
        sink(Message(told(sealing.seal, recovery)))
    return code


def place(machine: Machine, chosen: Settings, sink: Sink) -> str:
    """List all places, and return the one whose number is typed.

    :raises Refused: none is fit.
    """
    need = image_limit(region.choose(machine, choose_kernel(machine, chosen), chosen.region))
    sink(
        Message(_("The image needs {size} at most. A partition or disk is overwritten whole. Places:").format(size=size(need)))
    )
    fit: list[str] = []
    for target, against in candidates(machine, need):
        if not against:
            fit.append(targets.lasting(target, machine.devices))
        sink(Message(f"{f'{len(fit)})' if not against else '-'} {described(machine, target, against, need)}"))
    if not fit:
        raise Refused(_("no place is fit"), hint=_("add an empty partition, or free room"), ident="HIB-E-NO-TARGET")
    return one_of(_("The image goes to"), fit, chosen.target if chosen.target in fit else fit[0])


def described(machine: Machine, target: Target, against: Sequence[Finding], need: int) -> str:
    """Format a place: all that tells it from others, and what is against it."""
    device = machine.device(target.device)
    facts = [str(target)]
    if device:
        facts += [size(device.size), f"{device.model} {device.serial}".strip(), f"{device.fstype} {device.label}".strip()]
    narrow = [] if against else room.tight(machine, target, need)
    fit = (
        _("fit, but tight")
        if narrow
        else _("fit: {what}").format(what=swapplace.deed(machine, target).what)
        if target.swap
        else _("fit")
    )
    verdict = _("no: {reasons}").format(reasons="; ".join(finding.what for finding in against)) if against else fit
    return f"{', '.join(filter(None, facts))}: {verdict}"


def one_of(question: str, options: Sequence[str], proposed: str) -> str:
    """Ask for the number of an option until it is one; Enter takes the proposed one."""
    listed = ", ".join(f"{number} {_(option)}" for number, option in enumerate(options, 1))
    while True:
        text = typed(f"{question}: {listed} [{options.index(proposed) + 1}]: ") or str(options.index(proposed) + 1)
        if text.isascii() and text.isdigit() and 0 < int(text) <= len(options):
            return options[int(text) - 1]


def seal(arguments: Namespace, sink: Sink) -> tuple[KeepSeal | None, str]:
    """Ask whether images are sealed, unless they are; return the step that does it, and the recovery key."""
    path = sealfile.path_beside(arguments.settings)
    if sealfile.load(path):
        return None, ""
    sink(Message(_("Without a seal, {why}.").format(why=sealfile.unsealed().why)))
    if one_of(_("Seal the images"), ["yes", "no"], "yes") == "no":
        return None, ""
    made, recovery = crypto.create(secret.new(""), crypto.best_cipher())
    return KeepSeal(path, made), recovery


def typed(question: str) -> str:
    """Ask for a line.

    :raises Cancelled: nobody can type.
    """
    try:
        return input(encodable(visible(question), sys.stdout.encoding)).strip()
    except EOFError as error:
        raise Cancelled(
            _("nothing was changed"), hint=_("`khib setup --answers FILE` asks nothing"), ident="HIB-E-CANCELLED"
        ) from error
