"""What is remembered of hibernations and rehearsals, the newest first."""

from __future__ import annotations

from collections.abc import Sequence

from khib_tui.i18n import N_, _
from khib_tui.model.journey import End, Journey, Rung
from khib_tui.model.text import clean
from khib_tui.model.units import duration, size, when
from screens.ui import keys, widgets
from screens.ui.page import Page
from screens.wizard.flow import Flow

NAMES = {
    Rung.ECHO: N_("rehearsed echo"),
    Rung.JUMP: N_("rehearsed jump"),
    Rung.SAVE: N_("rehearsed save"),
    Rung.TRIP: N_("hibernated"),
}
ENDS = {End.AWAY: N_("did not come back"), End.WELL: N_("well"), End.CANCELLED: N_("stopped"), End.FAILED: N_("failed")}
BAR, FULL, EMPTY = 10, "#", "."
LAST = 3


class HistoryPage(Page):
    """Every journey that is kept: when, what, what became of it, size, rate, codec, how long away."""

    title = N_("History")
    help = N_(
        "The bar is the size of the image beside the largest one. Rate: bytes of the image a second while it "
        "was written. F8 shows the logs of the last runs, with every step of them."
    )
    keys = keys.LIST

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        journeys = list(reversed(flow.journeys))
        most = max((item.image_bytes for item in journeys), default=0)
        rows = [widgets.line(line(item, most, flow.now.boot_id), _attribute(item)) for item in journeys]
        intro = _("Hibernations and rehearsals of this system, the newest first:") if rows else _("Nothing was tried here yet.")
        super().__init__(flow.window, widgets.listed(rows, intro=intro), [(_("Back"), self.back)], focus=None if rows else 0)

    def back(self) -> None:
        """Go home."""
        self.flow.home()


def _attribute(item: Journey) -> str | None:
    return None if item.end is End.WELL else "warning"


def line(item: Journey, most: int, boot_id: str) -> str:
    """Format a journey in a line.

    :param most: bytes of the largest image in the list.
    """
    return "  ".join([when(item.started), _(NAMES[item.rung]), *_outcome(item, boot_id), *figures(item, most)])


def _outcome(item: Journey, boot_id: str) -> list[str]:
    """Return what became of it, and why."""
    end = _("under way") if item.end is End.AWAY and item.boot_id == boot_id else _(ENDS[item.end])
    return [end, clean(item.text, 300)] if item.end is End.FAILED else [end]


def figures(item: Journey, most: int) -> list[str]:
    """Return size, rate and codec of the image, and how long this system was away."""
    parts = [bar(item.image_bytes, most), size(item.image_bytes)] if item.image_bytes else []
    parts += [f"{size(item.rate)}/s"] if item.rate else []
    parts += [clean(item.codec)] if item.codec and item.image_bytes else []
    if item.away_seconds:
        text = _("asleep {duration}") if item.rung is Rung.TRIP else _("{duration} away")
        parts.append(text.format(duration=duration(item.away_seconds)))
    return parts


def bar(count: int, most: int) -> str:
    """Draw a number beside the largest one."""
    filled = max(round(BAR * count / most), 1) if most else 0
    return FULL * filled + EMPTY * (BAR - filled)


def chart(journeys: Sequence[Journey], boot_id: str) -> list[str]:
    """Draw the last hibernations, the newest first; nothing if there was none."""
    trips = [item for item in journeys if item.rung is Rung.TRIP][-LAST:]
    most = max((item.image_bytes for item in trips), default=0)
    ends = [[] if item.end is End.WELL else _outcome(item, boot_id) for item in trips]
    lines = ["  ".join([when(item.started), *end, *figures(item, most)]) for item, end in zip(trips, ends, strict=True)]
    return lines[::-1]
