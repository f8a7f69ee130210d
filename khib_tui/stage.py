"""A long piece of work that tells how far it is and can be asked to stop: what B and C do, and what screens draw."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from khib_tui.errors import Cancelled
from khib_tui.events import Event, Sink

T = TypeVar("T")
ESCAPE = b"\x1b"


class Stop:
    """The user's wish to stop. Work looks at it where it can still stop without loss."""

    def __init__(self, poll: Callable[[], bool] | None = None) -> None:
        self.requested = False
        self.possible = True
        self.poll = poll

    def check(self) -> None:
        """Stop here if the user asked for it.

        :raises Cancelled: the user did.
        """
        if self.possible and (self.requested or (self.poll is not None and self.poll())):
            raise Cancelled("you stopped it", ident="HIB-E-CANCELLED")

    def too_late(self) -> None:
        """From here on there is no stopping."""
        self.possible = False


Work = Callable[[Sink, Stop], T]


def both(*sinks: Sink) -> Sink:
    """Give every event to several sinks."""

    def sink(event: Event) -> None:
        for each in sinks:
            each(event)

    return sink


@contextmanager
def escape_key() -> Iterator[Callable[[], bool]]:
    """Watch the terminal for Esc, without reading lines; gives a function that tells whether it was pressed."""
    fd = sys.stdin.fileno() if sys.stdin else -1
    if fd < 0 or not os.isatty(fd):
        yield lambda: False
        return
    before = termios.tcgetattr(fd)

    def pressed() -> bool:
        while select.select([fd], [], [], 0)[0]:
            data = os.read(fd, 64)
            if not data:
                return False
            if ESCAPE in data:
                return True
        return False

    try:
        tty.setcbreak(fd)
        yield pressed
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
