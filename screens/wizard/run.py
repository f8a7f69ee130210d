"""The steps while they are done."""

from __future__ import annotations

from contextlib import suppress
from threading import Event as Flag
from threading import Thread

import urwid

from khib_tui.events.sinks import PlainSink
from khib_tui.events.stages import in_saver
from khib_tui.events.types import Event, Level, StageName, Status, Step
from khib_tui.handover.handover import Mode
from khib_tui.i18n import N_, _
from khib_tui.plan import build
from khib_tui.plan.echo import JumpToEcho
from khib_tui.plan.hibernate import Jump
from khib_tui.plan.task import Errand, Task, ending
from khib_tui.seal.file import Opened
from screens.progress.board import Board
from screens.progress.track import Track
from screens.ui import keys
from screens.ui.keys import Key
from screens.ui.page import Page
from screens.ui.widgets import Size
from screens.wizard.flow import Flow

TICK = 1.0
DRAWN = 0.5


class RunPage(Page):
    """Runs a task in a thread as soon as it is shown, and draws how far it is."""

    help = N_(
        "The steps are done one after the other. During the jump this screen stands still, for seconds or "
        "for weeks; the saver has its own screen, and Esc there stops it and comes back here."
    )
    keys = (Key.HELP, Key.LOG, Key.REDRAW)

    def __init__(self, flow: Flow, task: Errand, opened: Opened | None = None) -> None:
        self.title = task.title
        self.flow, self.task, self.opened = flow, task, opened
        actions = task.actions
        jump = next((at for at, step in enumerate(actions, 1) if isinstance(step, Jump | JumpToEcho)), 0)
        self.track = Track(build.describe(actions), away=away(task), jump=jump)
        self.board = Board(self.track, bar=not flow.window.simple)
        super().__init__(flow.window, self.board, focus=None)
        self.left = False
        self.thread = Thread(target=self.work, name="khib journey")
        flow.window.loop.set_alarm_in(0, lambda *_: self.thread.start())
        flow.window.loop.set_alarm_in(TICK, self.tick)

    def work(self) -> None:
        """Do the steps, in a thread of its own."""
        with suppress(KeyboardInterrupt):
            self.window.call(self.flow.arrived, self.task, ending(self.task, self.sink, self.opened))

    def finish(self) -> None:
        """Wait for the steps when the wizard ends before they do, as by a signal: they stop, and undo what was done."""
        self.left = True
        if self.thread.is_alive():
            self.thread.join()

    def sink(self, event: Event) -> None:
        """Hand an event to the screen; a step begins only when the user can see that it does."""
        if self.left:
            PlainSink()(event)
            return
        drawn = Flag()
        self.window.call(self.take, event, drawn)
        if isinstance(event, Step) and event.status == Status.STARTED:
            drawn.wait(DRAWN)

    def take(self, event: Event, drawn: Flag) -> None:
        """Show an event. After a step all is drawn anew: another kernel may have used the screen."""
        self.track.take(event)
        self.board.draw()
        if isinstance(event, Step):
            if event.status != Status.STARTED:
                self.window.redraw()
            self.window.loop.draw_screen()
            drawn.set()

    def tick(self, loop: urwid.MainLoop, _: object) -> None:
        """Show the time passing."""
        if self.window.page is self:
            self.board.draw()
            loop.set_alarm_in(TICK, self.tick)

    def keypress(self, size: Size, key: str) -> str | None:
        """Say that Esc and leaving do nothing here."""
        left = super().keypress(size, key)
        if keys.find(left or "", (Key.BACK, Key.LEAVE)) not in (Key.BACK, Key.LEAVE):
            return left
        self.tell(_("This cannot be stopped here; the saver's own screen has Esc for it."), Level.WARNING)
        return None


def away(task: Errand) -> list[StageName]:
    """Return the stages of the other kernels, as their own screens list them."""
    if not isinstance(task, Task) or task.mode is None:
        return []
    trip, saves = task.mode is Mode.SAVE, task.mode.saves
    verifies = saves and (task.choice.settings.verify or not trip)
    listed = in_saver(saves=saves, verifies=verifies, returns=not trip).stages
    return [stage for stage in listed if stage not in (StageName.LOAD, StageName.BACK)]
