"""What runs now, to judge earlier journeys by."""

from __future__ import annotations

from contextlib import suppress

from khib_tui.decide.choice import choose_kernel
from khib_tui.decide.rehearsals import Now
from khib_tui.errors import KhibError
from khib_tui.facts.uptime import boot_id
from khib_tui.model.machine import Machine
from khib_tui.model.settings import Settings


def now(machine: Machine, settings: Settings) -> Now:
    """Return this uptime, the kernel of this system, and the one that would save, if any can."""
    saver = ""
    with suppress(KhibError):
        saver = choose_kernel(machine, settings).release
    return Now(boot_id(), machine.release, saver)
