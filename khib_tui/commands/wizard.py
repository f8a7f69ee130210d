"""`khib` without a command: the wizard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from khib_tui import present
from khib_tui.commands.common import machine_for, settings_of
from khib_tui.commands.machine import status
from khib_tui.events.types import Message, Sink
from khib_tui.linux import printk

if TYPE_CHECKING:
    from argparse import Namespace


def wizard(arguments: Namespace, sink: Sink) -> int:
    """Start the wizard; without a terminal, say how to go on."""
    if not present.use_screens(arguments):
        sink(Message("the wizard needs a terminal; see `khib --help` for commands that need none"))
        return status(arguments, sink)
    with printk.kernel_quiet():
        kept = settings_of(arguments)
        here = machine_for(arguments, kept)
        other = bool(arguments.facts)
        return present.wizard(here, kept, arguments.settings, lambda: machine_for(arguments, kept), read_only=other)
