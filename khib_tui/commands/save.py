"""What B runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from khib_tui import present
from khib_tui.events.sinks import quiet
from khib_tui.events.types import Sink
from khib_tui.handover import handover
from khib_tui.present import use_screens, with_events

if TYPE_CHECKING:
    from argparse import Namespace


def save(arguments: Namespace, sink: Sink) -> NoReturn:
    """In B: do what A handed over."""
    from khib_tui.saver import run as kernel_b

    given = handover.receive()
    arguments.plain = arguments.plain or given.plain
    told = with_events(quiet if use_screens(arguments) else sink, given.events)
    kernel_b.run(given, lambda title, work: present.show(arguments, told, title, work))
