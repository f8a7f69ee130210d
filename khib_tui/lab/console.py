"""`khib lab` on a terminal: a person drives the machine, the lab only plays power switch and boot loader."""

from __future__ import annotations

import shutil
import sys
from argparse import Namespace
from pathlib import Path

from khib_tui import runner
from khib_tui.errors import Exit, UsageError
from khib_tui.events.types import Message, Sink
from khib_tui.handover.cmdline import Words
from khib_tui.image import header as headers
from khib_tui.image.header import State
from khib_tui.lab import disks
from khib_tui.lab.hardware import Boot
from khib_tui.lab.setup import Lab, prepare, say_room, workspace

HELP = "In the machine: `khib` is the wizard, `exit` switches it off; Ctrl-a x pulls the plug."


def interactive(arguments: Namespace, sink: Sink) -> int:
    """Return the guest's console until the machine is off for good.

    :raises UsageError: there is no terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("`khib lab` needs a terminal", hint="`khib lab demo` needs none", ident="HIB-E-TTY")
    say_room(arguments, sink)
    with workspace(arguments.keep) as directory:
        lab = prepare(arguments, directory, sink)
        sink(Message(HELP))
        run(lab, lab.boot_a(f"khib.lab=console {terminal_words()}"))
        while complete(lab.disk_target):
            sink(Message("the machine is off, and an image is complete: switching on again, with kernel C"))
            run(lab, lab.boot_c())
    sink(Message("the machine is off"))
    return Exit.OK


def terminal_words() -> str:
    """Tell the guest the size of this terminal."""
    size = shutil.get_terminal_size()
    return " ".join(Words(term="linux", columns=size.columns, rows=size.lines).format())


def run(lab: Lab, boot: Boot) -> None:
    """Run the machine with its console on this terminal."""
    runner.interact([*lab.hardware.arguments(), *boot.arguments(), "-serial", "mon:stdio", "-serial", "null"])


def complete(disk: Path) -> bool:
    """Return whether the target holds an image that waits to be resumed; a boot loader would look the same way."""
    image = disks.partitions(disk)[0]
    with disk.open("rb") as stream:
        stream.seek(image.start)
        first = stream.read(headers.SLOTS[1] + 4096)
    slots = [headers.unpack(first[offset : offset + 4096]) for offset in headers.SLOTS]
    valid = [slot for slot in slots if slot]
    newest = max(valid, key=lambda header: header.generation, default=None)
    return newest is not None and newest.state is State.COMPLETE
