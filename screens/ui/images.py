"""How images are listed and shown, in A and in C."""

from __future__ import annotations

from typing import Any

import urwid
from urwid import Align, TableColumn, WHSettings

from khib_tui.i18n import _
from khib_tui.model.text import clean
from khib_tui.model.units import size, when
from khib_tui.target.catalog import Found
from screens.ui.shown import Line, Text, shown


def columns() -> list[TableColumn]:
    """Return the headings of the list."""
    return [
        TableColumn(shown(_("Place")), min_width=15),
        TableColumn(shown(_("State")), min_width=8),
        TableColumn(shown(_("Host")), (WHSettings.WEIGHT, 2), min_width=4),
        TableColumn(shown(_("Saved on")), min_width=10),
        TableColumn(shown(_("Image")), align=Align.RIGHT, min_width=6),
    ]


def cells(item: Found) -> list[urwid.Widget | str]:
    """Format an image in a line."""
    header = item.header
    place = Line(item.where, 0, wrap="any")
    return [place, _(header.state), Text(clean(header.host or "?")), when(header.created), size(header.image_bytes)]


def details(data: dict[str, Any]) -> str:
    """Format what an image holds."""
    return "\n".join(f"{_(key):>10}: {clean(str(value), 200)}" for key, value in data.items())
