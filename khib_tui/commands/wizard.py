"""`khib` without a command: the wizard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from khib_tui import present
from khib_tui.commands.common import machine_for, settings_of
from khib_tui.commands.machine import status
from khib_tui.errors import Exit
from khib_tui.events.types import Message, Sink
from khib_tui.handover.place import PATH
from khib_tui.i18n import _
from khib_tui.linux import printk
from khib_tui.restorer import here
from khib_tui.seal.ask import has_terminal

if TYPE_CHECKING:
    from argparse import Namespace


def wizard(arguments: Namespace, sink: Sink) -> int:
    """Start the wizard, as lines where no screen can be drawn; without a terminal, say how to go on.

    On the restoring kernel, show its menu.
    """
    if here.is_restorer():
        return restorer(arguments, sink)
    if not present.use_screens(arguments) and not arguments.json and has_terminal():
        from khib_tui.commands import lines

        return lines.setup(arguments, sink)
    if not present.use_screens(arguments):
        sink(Message(_("the wizard needs a terminal; see `khib --help` for commands that need none")))
        return status(arguments, sink)
    with printk.kernel_quiet():
        kept = settings_of(arguments)
        facts = machine_for(arguments, kept)
        other = bool(arguments.facts)
        return present.wizard(facts, kept, arguments.settings, lambda: machine_for(arguments, kept), read_only=other)


def restorer(arguments: Namespace, sink: Sink) -> int:
    """On the restoring kernel: its menu, in which nothing starts by itself; what can be typed, where no screen can be drawn."""
    if entered():
        sink(Message(_("this is the saver: `khib back` goes back to the running system")))
        return Exit.OK
    if not present.use_screens(arguments):
        from khib_tui.commands.image import image_list

        sink(Message(_("`khib restore` resumes; `khib image info`, `verify` and `discard` do what they say")))
        return image_list(arguments, sink)
    from khib_tui.commands.restore import restore

    arguments.image = arguments.vmcore = arguments.key_file = arguments.entry = arguments.gdt = ""
    arguments.dry_run = arguments.repair = arguments.yes = False
    return restore(arguments, sink, by_hand=True)


def entered() -> bool:
    """Return whether this kernel was entered by a jump: it is B, which has A's memory to keep."""
    return Path("/", PATH).exists()
