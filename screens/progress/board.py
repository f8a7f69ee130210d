"""A run as it is drawn: the list of its steps or stages, one bar, numbers, and the last messages."""

from __future__ import annotations

import urwid
from urwid.widget import AbstractFlowWidget

from screens.progress.track import LAST, Track, percent
from screens.ui import widgets
from screens.ui.shown import Line, Text


class Board(urwid.WidgetWrap[urwid.Pile]):
    """Draws a track; `draw` brings it up to date. The cursor stays on the line that is under way.

    :param bar: whether to draw one: a slow line has better things to carry, and the percentage stands in the list too.
    """

    def __init__(self, track: Track, *, bar: bool = True) -> None:
        self.track, self.with_bar = track, bar
        self.walker: urwid.SimpleFocusListWalker[AbstractFlowWidget] = urwid.SimpleFocusListWalker([])
        self.shown: list[tuple[str, str]] = []
        self.bar = urwid.ProgressBar("bar", "bar done")
        self.bar_place = urwid.WidgetPlaceholder[AbstractFlowWidget](urwid.Divider())
        self.numbers = Text("", wrap="clip")
        self.graph = Text("", wrap="clip")
        self.messages = Text("", wrap="clip")
        self.list = urwid.ListBox(self.walker)
        listed = urwid.ScrollBar(self.list, thumb_char="#", trough_char=":")
        super().__init__(widgets.stacked(listed, [self.bar_place, self.numbers, self.graph, self.messages]))
        self.draw()

    def draw(self) -> None:
        """Show what the track holds now."""
        lines = self.track.lines
        wanted = [(str(line), line.attribute) for line in lines]
        if wanted != self.shown:
            self.shown = wanted
            self.walker[:] = [_row(text, attribute) for text, attribute in wanted]
            if wanted:
                self.list.set_focus(self.track.current)
                self.list.set_focus_valign("middle")
        if self.track.progress is not None and self.with_bar:
            self.bar.set_completion(percent(self.track.progress))
            self.bar_place.original_widget = self.bar
        else:
            self.bar_place.original_widget = urwid.Divider()
        self.numbers.set_text(self.track.numbers())
        below = [self.track.compression(), self.track.graph() if self.with_bar else ""]
        self.graph.set_text("\n".join(filter(None, below)))
        self.messages.set_text("\n".join(list(self.track.messages)[-LAST:]))


def _row(text: str, attribute: str) -> Line:
    return Line((attribute, text), 0)
