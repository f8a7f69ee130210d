"""The only door to `screens`: what a person sees on a terminal, and lines instead where there is none."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from khib_tui.events import Sink
from khib_tui.stage import Stop, Work, escape_key

if TYPE_CHECKING:
    from argparse import Namespace

    from khib_tui.machine import Machine
    from khib_tui.recovery.words import Words
    from khib_tui.settings import Settings


def use_screens(arguments: Namespace) -> bool:
    """Tell whether to draw screens: on a terminal that can move its cursor."""
    dumb = os.environ.get("TERM", "dumb") == "dumb"
    return not (arguments.json or arguments.plain or dumb) and sys.stdin.isatty() and sys.stdout.isatty()


def show(arguments: Namespace, sink: Sink, title: str, work: Work[Any]) -> Any:
    """Do a long piece of work, on a screen or as lines; Esc stops it."""
    if use_screens(arguments):
        from screens.stage import run_stage

        return run_stage(title, work, sink)
    with escape_key() as pressed:
        return work(sink, Stop(pressed))


def wizard(machine: Machine, settings: Settings, path: Path, reread: Callable[[], Machine]) -> int:
    """Run the wizard; gives its exit code.

    :param path: where it keeps the settings.
    """
    from screens.app import run_wizard

    return run_wizard(machine, settings, path, reread=reread)


def restore(wanted: str, words: Words, sink: Sink) -> int:
    """Run the screen of C; gives its exit code."""
    from screens.restore import run_restore

    return run_restore(wanted, words, sink)
