"""What C has told since it was started, line by line: F8 shows it on each of its pages."""

from __future__ import annotations

import time
from collections import deque

from urwid.display import BaseScreen

from khib_tui.events.sinks import both, lines_of
from khib_tui.events.types import Event, Sink
from khib_tui.i18n import _
from khib_tui.model.units import duration
from screens.ui.window import Window

MOST = 1000
LINES: deque[str] = deque(maxlen=MOST)
STARTED = time.monotonic()


def keeping(sink: Sink) -> Sink:
    """Return a sink that keeps the lines of all events, beside another."""

    def keep(event: Event) -> None:
        LINES.extend(f"{duration(time.monotonic() - STARTED):>10}  {line}" for line in lines_of(event))

    return both(keep, sink)


def window(screen: BaseScreen | None) -> Window:
    """Return a new window, on which F8 shows them.

    :param screen: instead of the terminal, for tests.
    """
    made = Window(screen)
    made.logs = lambda: [(_("since the start of this kernel"), lambda: list(LINES))]
    return made
