"""What several commands share."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from khib_tui.errors import Cancelled, Refused
from khib_tui.events.types import Sink
from khib_tui.facts import kernels, probe
from khib_tui.i18n import _
from khib_tui.model import machine, settings
from khib_tui.model.choices import After, CodecChoice
from khib_tui.model.machine import Machine
from khib_tui.model.settings import Settings
from khib_tui.model.text import encodable, visible
from khib_tui.model.units import parse_size

if TYPE_CHECKING:
    from argparse import Namespace

    from khib_tui.plan.step import Action


def machine_of(arguments: Namespace) -> Machine:
    """Return the facts: of this machine, or those in a file."""
    return machine.load(arguments.facts) if arguments.facts else probe.probe()


def machine_for(arguments: Namespace, chosen: Settings) -> Machine:
    """Return the facts, and among them the kernel that was chosen by its file, wherever it lies.

    :raises Refused: the command line names a file that is no kernel; of one that was kept, the decision tells.
    """
    here = machine_of(arguments)
    if arguments.facts:
        return here
    try:
        return kernels.with_named(here, chosen.kernel)
    except Refused:
        if getattr(arguments, "kernel", None):
            raise
        return here


def settings_of(arguments: Namespace, kept: Settings | None = None) -> Settings:
    """Return the choices with those of the command line on top.

    :param kept: the choices, if they are not those in the settings' file.
    """
    kept = settings.load(arguments.settings) if kept is None else kept
    given: dict[str, Any] = {
        "kernel": str(Path(arguments.kernel).absolute()) if getattr(arguments, "kernel", None) else None,
        "target": getattr(arguments, "target", None),
        "wake": getattr(arguments, "wake", None),
        "verify": getattr(arguments, "verify", None),
        "plain": arguments.plain or None,
    }
    if getattr(arguments, "region", None):
        given["region"] = parse_size(arguments.region)
    if getattr(arguments, "codec", None):
        given["codec"] = CodecChoice(arguments.codec)
    if getattr(arguments, "after", None):
        given["after"] = After(arguments.after)
    return msgspec.structs.replace(kept, **{key: value for key, value in given.items() if value is not None})


def show_plan(actions: Sequence[Action], sink: Sink) -> None:
    """Print steps without applying them."""
    from khib_tui.plan import build

    for step in build.describe(actions):
        sink(step)


def file_target(arguments: Namespace) -> str:
    """Return the settings' target, which may be a file that no search finds."""
    return settings.load(arguments.settings).target


def confirm(question: str) -> None:
    """Ask for a typed yes, in English or the user's language.

    :raises Cancelled: anything else was typed, or nobody can type.
    """
    wanted = _("Type yes:")
    try:
        answer = input(encodable(visible(f"{question} {wanted} "), sys.stdout.encoding))
    except EOFError:
        answer = ""
    if answer.strip().lower() not in ("yes", _("yes")):
        raise Cancelled(_("nothing was changed"), hint=_("give --yes where nobody can type"), ident="HIB-E-CANCELLED")
