"""Small combinations of urwid's widgets that several pages use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, cast

import urwid
from urwid.util import get_encoding
from urwid.widget import AbstractBoxWidget, AbstractFlowWidget

from khib_tui.events.sinks import PlainSink
from khib_tui.events.types import Finding, Severity
from screens.ui import keys, theme
from screens.ui.keys import Key
from screens.ui.shown import Line, Text, shown

Press = Callable[[], None]
Choices = Sequence[tuple[str, Press]]
Size = tuple[()] | tuple[int] | tuple[int, int]


def mark(severity: str) -> str:
    """Return the mark of a finding, the same as on the command line."""
    return PlainSink.marks[severity]


def attribute(severity: str) -> str:
    """Return the display attribute of a severity."""
    return severity if severity in ("ok", "warning", "blocker") else "dim"


def finding_text(finding: Finding) -> str:
    """Format a finding without its mark: what; and for a bad one why, and what to do."""
    more = [finding.why, finding.fix and f"-> {finding.fix}"] if finding.severity != Severity.OK else []
    return "\n".join([finding.what, *(line for line in more if line)])


def button(label: str, press: Press, *, wrap: Literal["clip", "space"] = "clip") -> urwid.AttrMap[urwid.Button]:
    """Make a button.

    :param wrap: `space` for a label that must not be cut.
    """
    return urwid.AttrMap(urwid.Button(shown(label), lambda _: press(), wrap=wrap), None, "focus")


def width_of(made: urwid.AttrMap[urwid.Button]) -> int:
    """Return the columns that a button needs."""
    return len(cast(urwid.Button, made.base_widget).label) + 4


def button_column(choices: Choices) -> list[AbstractFlowWidget]:
    """Make buttons of one width, each in a line of its own."""
    made = [button(label, press) for label, press in choices]
    widest = max(map(width_of, made))
    return [urwid.Padding(each, width=widest) for each in made]


def alone(label: str, press: Press, left: int = 0) -> urwid.Padding[urwid.AttrMap[urwid.Button]]:
    """Make a button that stands in a line of its own, as wide as its label."""
    made = button(label, press)
    return urwid.Padding(made, left=left, width=width_of(made))


class Buttons(urwid.GridFlow):
    """Buttons in rows. urwid 5.1's own takes one row for enough until it was drawn once, so the other rows were hidden."""

    def pack(self, size: Size = (), focus: bool = False) -> tuple[int, int]:
        """Return the columns and rows that are needed."""
        return (size[0], self.rows((size[0],), focus)) if size else super().pack((), focus)


def button_row(choices: Choices, focus: int = 0) -> Buttons:
    """Make a row of buttons, which becomes several where it is too narrow."""
    cells = [button(label, press) for label, press in choices]
    widest = max(map(width_of, cells))
    return Buttons(cells, widest, 2, 0, "left", focus, select_navigation=True)


def listed(
    rows: Sequence[AbstractFlowWidget], focus: int = 0, *, intro: str = "", fields: bool = False
) -> urwid.ScrollBar[urwid.ListBox[int]]:
    """Make a list that scrolls, under a text that scrolls with it; arrow keys leave it at its ends.

    :param fields: whether Tab goes from row to row; else it leaves the list.
    """
    above: list[AbstractFlowWidget] = [Text(intro), urwid.Divider()] if intro else []
    walker = urwid.SimpleFocusListWalker([*above, *rows])
    box = urwid.ListBox(walker, select_navigation=fields)
    if focus:
        walker.set_focus(len(above) + focus)
    elif first := next((at for at, row in enumerate(walker) if row.selectable()), 0):
        box.set_focus(first)
        box.set_focus_valign("bottom")  # the text above stays in sight as far as there is room
    return urwid.ScrollBar(box, thumb_char="#", trough_char=":")


def rows_of(box: urwid.ScrollBar[urwid.ListBox[int]]) -> urwid.SimpleFocusListWalker[AbstractFlowWidget]:
    """Return the rows of a list made by `listed`, to be changed; those of the text above are the first ones."""
    return cast("urwid.ListBox[int]", box.base_widget).body  # type: ignore[return-value]


def line(text: str, attr: str | None = None) -> urwid.AttrMap[Line]:
    """Make a line that takes the focus and the cursor, so that lists scroll and readers follow."""
    return urwid.AttrMap(Line(text, 0), attr, "focus")


def item(label: str, text: str, attr: str | None = None) -> urwid.AttrMap[urwid.Columns]:
    """Make a line with a label and a text beside it that may wrap; the cursor stands on the label."""
    columns = urwid.Columns([(len(label), Line((attr, label), 0)), Text(text)], dividechars=1)
    return urwid.AttrMap(columns, None, {None: "focus", attr: "focus"})


def boxed(widget: AbstractBoxWidget, title: str = "") -> urwid.LineBox[AbstractBoxWidget]:
    """Draw a box around a widget, of characters every terminal has."""
    return urwid.LineBox(widget, title=shown(title), title_align="left", **theme.BOX)


class Labelled(urwid.Columns):
    """A label and what it names; the label takes two fifths of a narrow screen at most."""

    def __init__(self, label: str, widget: AbstractFlowWidget, width: int) -> None:
        self.width = width
        super().__init__([(width, Text(label)), widget], dividechars=1, select_navigation=True)

    def column_widths(self, size: Any, focus: bool = False) -> list[int]:
        """Return the columns of both."""
        if not size or size[0] < 3:
            return super().column_widths(size, focus)
        first = min(self.width, size[0] * 2 // 5)
        return [first, max(size[0] - first - 1, 1)]


def labelled(label: str, widget: AbstractFlowWidget, width: int = 24) -> urwid.Columns:
    """Put a label before a widget."""
    return Labelled(label, widget, width)


class Footer(urwid.Widget):
    """The keys that are valid now; those that a narrow screen has no room for are left out whole."""

    _sizing = frozenset([urwid.Sizing.FLOW])
    _selectable = False

    def __init__(self, valid: Sequence[Key]) -> None:
        super().__init__()
        self.valid = valid

    def show(self, valid: Sequence[Key]) -> None:
        """Show other keys."""
        self.valid = valid
        self._invalidate()

    def rows(self, _size: Size, _focus: bool = False) -> int:
        """Return the rows that are needed."""
        return 1

    def render(self, size: Any, focus: bool = False) -> urwid.Canvas:
        """Draw them."""
        return Text(keys.footer(self.valid, size[0]), wrap="clip").render(size, focus)


def stacked(main: AbstractBoxWidget, below: Sequence[AbstractFlowWidget], focus: int = 0) -> urwid.Pile:
    """Put a widget that takes all the room above some that take what they need; Tab goes through all."""
    rows: list[tuple[Literal["pack"], AbstractFlowWidget]] = [("pack", widget) for widget in below]
    pile = urwid.Pile([("weight", 1, main), *rows], select_navigation=True)
    pile.focus_position = focus
    return pile


def headed(text: str, main: AbstractBoxWidget, below: Sequence[AbstractFlowWidget]) -> urwid.Pile:
    """Put a text above a widget that takes the rest of the room, and others below; the focus is on the middle."""
    rows: list[tuple[Literal["pack"], AbstractFlowWidget]] = [("pack", widget) for widget in below]
    return urwid.Pile([("pack", Text(text)), ("weight", 1, main), *rows], focus_item=1, select_navigation=True)


def table(columns: Sequence[urwid.TableColumn]) -> urwid.Table:
    """Make a table; its scroll bar has a glyph that only UTF-8 terminals show."""
    bar = None if get_encoding() == "utf-8" else False
    return urwid.Table(columns, header_attr="heading", focus_attr="focus", scrollbar=bar)


class DropDown(urwid.DropDown):
    """A choice whose open list stands out by a box, not by colour alone."""

    def __init__(self, options: Sequence[str], selected: int) -> None:
        super().__init__([shown(option) for option in options], selected=selected, focus_map="focus")

    def create_pop_up(self) -> Any:
        """Return the list in a box."""
        return boxed(super().create_pop_up())

    def get_pop_up_parameters(self) -> Any:
        """Make room for the box."""
        wanted = super().get_pop_up_parameters()
        return wanted | {"overlay_width": wanted["overlay_width"] + 2, "overlay_height": wanted["overlay_height"] + 2}


def field(label: str, widget: AbstractFlowWidget, attr: str | None = "edit") -> urwid.Columns:
    """Put a label before a field."""
    return labelled(label, urwid.AttrMap(widget, attr, "focus"))
