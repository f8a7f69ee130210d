"""`--facts FILE`: deciding for another machine, and applying nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from khib_tui.errors import UsageError
from khib_tui.i18n import _

if TYPE_CHECKING:
    from argparse import Namespace

# What only reads and decides; all else needs --dry-run. The wizard refuses by itself what it would apply.
READERS = frozenset(
    {"commands.machine:check", "commands.machine:facts", "commands.machine:status", "commands.kernels:kernels",
     "commands.hibernate:make_plan", "commands.wizard:wizard", "commands.report:report", "commands.manual:manual"}
)  # fmt: skip
# These decide first, so that another machine's reasons are told, and refuse before their first step.
JOURNEYS = frozenset({"commands.setup:setup", "commands.hibernate:rehearse", "commands.hibernate:hibernate"})
NEVER = "commands.restore:restore"


def error() -> UsageError:
    """Return the error of whoever would apply something."""
    return UsageError(
        _("--facts decides for the machine in a file: nothing is applied, and no disk of this machine is read"),
        hint=_(
            "leave --facts out, or add --dry-run; check, plan, facts, kernels, status and the wizard's pages take it as it is"
        ),
        ident="HIB-E-FACTS-READ-ONLY",
    )


def refuse(arguments: Namespace) -> None:
    """See that a command with facts of another machine changes nothing here.

    :raises UsageError: HIB-E-FACTS-READ-ONLY, it could.
    """
    dry = getattr(arguments, "dry_run", False) and arguments.verb != NEVER
    if getattr(arguments, "facts", None) and arguments.verb not in READERS | JOURNEYS and not dry:
        raise error()


def refuse_steps(arguments: Namespace) -> None:
    """See that no step is applied with facts of another machine.

    :raises UsageError: HIB-E-FACTS-READ-ONLY, one would be.
    """
    if arguments.facts:
        raise error()
