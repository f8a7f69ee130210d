"""The door to `screens`: long work is shown on a screen where there is a terminal, and as lines elsewhere."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from khib_tui.events import Sink
from khib_tui.stage import Stop, Work, escape_key

if TYPE_CHECKING:
    from argparse import Namespace


def use_screens(arguments: Namespace) -> bool:
    """Tell whether to draw screens: on a terminal that can move its cursor."""
    dumb = os.environ.get("TERM", "dumb") == "dumb"
    return not (arguments.json or arguments.plain or dumb) and sys.stdin.isatty() and sys.stdout.isatty()


def present(arguments: Namespace, sink: Sink, title: str, work: Work[Any]) -> Any:
    """Do a long piece of work, on a screen or as lines; Esc stops it."""
    if use_screens(arguments):
        from screens.stage import run_stage

        return run_stage(title, work, sink)
    with escape_key() as pressed:
        return work(sink, Stop(pressed))
