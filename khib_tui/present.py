"""The only door to `screens`: what a person sees on a terminal, and lines instead where there is none."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from khib_tui.events.progress import Stop, Work
from khib_tui.events.sinks import JsonSink, steady
from khib_tui.events.types import Sink

if TYPE_CHECKING:
    from argparse import Namespace

    from khib_tui.handover.cmdline import Words
    from khib_tui.model.machine import Machine
    from khib_tui.model.settings import Settings


def use_screens(arguments: Namespace) -> bool:
    """Return whether to draw screens: on a terminal that can move its cursor."""
    dumb = os.environ.get("TERM", "dumb") == "dumb"
    return not (arguments.json or arguments.plain or dumb) and sys.stdin.isatty() and sys.stdout.isatty()


def show(arguments: Namespace, sink: Sink, title: str, work: Work[Any]) -> Any:
    """Do a long piece of work, on a screen or as lines; Esc stops it."""
    sink = steady(sink)
    if use_screens(arguments):
        from screens.progress.page import run_stage

        return run_stage(title, work, sink)
    with escape_key() as pressed:
        return work(sink, Stop(pressed))


def wizard(machine: Machine, settings: Settings, path: Path, reread: Callable[[], Machine], *, read_only: bool = False) -> int:
    """Run the wizard; gives its exit code.

    :param path: where it keeps the settings.
    :param read_only: the facts are another machine's.
    """
    from screens.wizard.start import run_wizard

    return run_wizard(machine, settings, path, reread=reread, read_only=read_only)


def restore(wanted: str, words: Words, sink: Sink) -> int:
    """Run the screen of C; gives its exit code."""
    from screens.restore.run import run_restore

    return run_restore(wanted, words, sink)


def key_listing() -> list[str]:
    """Return what each key of the screens does, a line each."""
    from screens.ui import keys

    return keys.listing(list(keys.Key)).splitlines()


ESCAPE = b"\x1b"


@contextmanager
def escape_key() -> Iterator[Callable[[], bool]]:
    """Watch the terminal for Esc, without reading lines; gives a function that tells whether it was pressed.

    A terminal that fails is one where nobody presses anything.
    """
    try:
        fd = sys.stdin.fileno() if sys.stdin else -1
        before = termios.tcgetattr(fd)
        tty.setcbreak(fd)
    except (OSError, ValueError, termios.error):
        yield lambda: False
        return
    try:
        yield lambda: _pressed(fd)
    finally:
        with suppress(OSError, termios.error):
            termios.tcsetattr(fd, termios.TCSADRAIN, before)


def _pressed(fd: int) -> bool:
    try:
        while select.select([fd], [], [], 0)[0]:
            data = os.read(fd, 64)
            if not data:
                return False
            if ESCAPE in data:
                return True
    except (OSError, ValueError):
        return False
    return False


def with_events(sink: Sink, device: str) -> Sink:
    """Send events to a device as well, as JSON lines; one that cannot be opened is left out."""
    if not device:
        return sink
    try:
        stream = open(device, "wb", buffering=0)  # noqa: SIM115
    except OSError:
        return sink
    if os.isatty(stream.fileno()):
        with suppress(OSError):
            tty.setraw(stream.fileno())
    return steady(sink, JsonSink(stream))
