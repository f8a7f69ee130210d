"""`khib install`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from khib_tui.commands import foreign
from khib_tui.commands.common import machine_of, show_plan
from khib_tui.commands.setup import refuse_image
from khib_tui.errors import Exit, Refused
from khib_tui.events.types import Result, Sink
from khib_tui.i18n import _
from khib_tui.model import settings
from khib_tui.plan import program
from khib_tui.plan import remove as removing
from khib_tui.plan.execute import execute
from khib_tui.plan.step import Action, Context

if TYPE_CHECKING:
    from argparse import Namespace


def install(arguments: Namespace, sink: Sink) -> int:
    """Put khib where root finds it, or take it away with all that a set-up has written.

    :raises Refused: not root, or an image waits.
    """
    foreign.refuse_steps(arguments)
    actions = removal(arguments) if arguments.remove else program.install(arguments.prefix)
    if arguments.dry_run:
        show_plan(actions, sink)
        return Exit.OK
    if os.geteuid() != 0 and arguments.prefix == program.PREFIX:
        raise Refused(_("only root may write there"), hint=_("run it with sudo"), ident="HIB-E-NOT-ROOT")
    execute(actions, Context(sink), sink)
    done = _("`khib` is {command}: run it as root to set up").format(command=program.command(arguments.prefix))
    done = _("nothing is left") if arguments.remove else done
    sink(Result("install", True, done, {"steps": len(actions)}))
    return Exit.OK


def removal(arguments: Namespace) -> list[Action]:
    """Return the steps that take away the set-up, and then the program.

    :raises Refused: HIB-E-REMOVE-IMAGE, an image waits.
    """
    kept = settings.load(arguments.settings)
    machine = machine_of(arguments)
    set_up = removing.remove(machine, kept, arguments.settings) if arguments.prefix == program.PREFIX else []
    if set_up:
        refuse_image(machine, kept)
    return [*set_up, *program.remove(arguments.prefix)]
