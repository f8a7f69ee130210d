"""The log viewer: a box over any page, with the lines of one log and the way to the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import urwid
from urwid.widget import AbstractBoxWidget

from khib_tui.i18n import _
from screens.ui import keys, widgets
from screens.ui.keys import Key
from screens.ui.shown import shown
from screens.ui.widgets import Choices, Press

Log = tuple[str, Callable[[], Sequence[str]]]
"""What a log is called, and what reads its lines."""
NONE: Sequence[Log] = (("", lambda: [_("Nothing was run yet: each set-up, rehearsal and hibernation leaves a log.")]),)


class LogBox(urwid.WidgetWrap[urwid.LineBox[AbstractBoxWidget]]):
    """One of several logs, the newest first; the end of it is in sight."""

    keys: Sequence[Key] = keys.LOG
    closable = True

    def __init__(self, room: tuple[int, int], logs: Sequence[Log], close: Press, at: int = 0) -> None:
        self.logs, self.at, self.close = logs or NONE, at, close
        self.width, self.height = max(room[0], 4), max(room[1] - 2, 3)
        self.place = urwid.WidgetPlaceholder[AbstractBoxWidget](urwid.SolidFill(" "))
        others = [(_("Older"), lambda: self.show(self.at + 1)), (_("Newer"), lambda: self.show(self.at - 1))]
        choices: Choices = [*(others if len(self.logs) > 1 else []), (_("Close"), close)]
        self.box = widgets.boxed(widgets.stacked(self.place, [widgets.button_row(choices)]))
        super().__init__(self.box)
        self.show(at)

    def show(self, at: int) -> None:
        """Show another log; at the ends nothing changes."""
        self.at = min(max(at, 0), len(self.logs) - 1)
        name, read = self.logs[self.at]
        lines = list(read()) or [_("This log is empty.")]
        self.place.original_widget = widgets.listed([widgets.line(line) for line in lines], len(lines) - 1)
        title = _("Log {at} of {count}: {name}").format(at=self.at + 1, count=len(self.logs), name=name)
        self.box.set_title(shown(title if name else _("Log")))
