"""This machine's memory as a bar, and what each memmap= word of the restorer means."""

from __future__ import annotations

import re
from typing import Any

import urwid

from khib_tui.decide.region import Region
from khib_tui.i18n import N_, _
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB, size
from screens.ui.shown import Text

REGION, KERNEL, MEMORY, HOLE = "#", "K", ".", " "
LEGEND = N_("# the region   K this system's kernel   . other memory   blank: no memory")
USE, START = N_("memory to use: {where}"), N_("memory to use: {where}, for the start of its processors")
_SPAN = re.compile(r"memmap=(0x[0-9a-f]+)([@%])(0x[0-9a-f]+)(\+2)?")


def cells(region: Region, kernel: Ranges, columns: int) -> str:
    """Draw the memory in so many characters; the smallest piece of the region still shows.

    :param kernel: where the running kernel lies.
    """
    end = max(region.ram.end, 1)
    marks = []
    for at in range(columns):
        span = Ranges.of([(at * end // columns, max((at + 1) * end // columns, at * end // columns + 1))])
        marks.append(next((mark for mark, part in _layers(region, kernel) if part & span), HOLE))
    return "".join(marks)


def _layers(region: Region, kernel: Ranges) -> list[tuple[str, Ranges]]:
    return [(REGION, region.main), (KERNEL, kernel), (MEMORY, region.ram)]


def meaning(word: str) -> str:
    """Say in words what a memmap= parameter tells the restorer's kernel."""
    found = _SPAN.fullmatch(word)
    if not found:
        return _("use no memory but what follows")
    count, start = int(found[1], 16), int(found[3], 16)
    where = _("{size} from {start} upwards").format(size=size(count), start=size(start))
    if found[2] == "@":
        return _(START if start < MIB else USE).format(where=where)
    return _("to be left alone: {where}").format(where=where)


class RamBar(urwid.Widget):
    """The bar, as wide as there is room."""

    _sizing = frozenset([urwid.Sizing.FLOW])
    _selectable = False

    def __init__(self) -> None:
        super().__init__()
        self.region: Region | None = None
        self.kernel = Ranges()

    def show(self, region: Region | None, kernel: Ranges) -> None:
        """Draw another region, or none."""
        self.region, self.kernel = region, kernel
        self._invalidate()

    def rows(self, _size: Any, _focus: bool = False) -> int:
        """Return the rows that are needed."""
        return 1

    def render(self, size: Any, focus: bool = False) -> urwid.Canvas:
        """Draw it."""
        inside = max(size[0] - 2, 1)
        text = f"[{cells(self.region, self.kernel, inside)}]" if self.region else ""
        return Text(text, wrap="clip").render(size, focus)
