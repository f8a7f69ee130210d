"""The screen of B and C while they work: `run_stage` does the work in a thread and draws how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event as Flag
from threading import Lock, Thread
from typing import Generic, TypeVar

import urwid
from urwid.display import BaseScreen

from khib_tui.errors import CommandFailed
from khib_tui.events.progress import Stop, Work
from khib_tui.events.sinks import both, steady
from khib_tui.events.types import Event, Level, Message, Sink
from khib_tui.i18n import N_, _
from screens.progress.board import Board
from screens.progress.track import Track
from screens.ui import keys
from screens.ui.keys import Key
from screens.ui.page import Page
from screens.ui.window import Window

T = TypeVar("T")
TICK = 1.0


class Job(Generic[T]):
    """Work in a thread: its result or its exception, kept for whoever started it."""

    def __init__(self, work: Work[T], sink: Sink, stop: Stop) -> None:
        self.work, self.sink, self.stop = work, sink, stop
        self.over, self.lock, self.running = Flag(), Lock(), False
        self.value: list[T] = []
        self.error: BaseException | None = None
        self.thread: Thread | None = None

    def start(self) -> None:
        """Start it, once. A daemon: the machine may jump away and never end it. What forbids a thread is the job's error."""
        if self.thread is not None:
            return
        self.thread = Thread(target=self._run, name="khib work", daemon=True)
        try:
            self.thread.start()
        except BaseException as error:
            self._fail(error)

    def _run(self) -> None:
        try:
            with self.lock:
                if self.over.is_set():
                    return
                self.running = True
            self.value.append(self.work(self.sink, self.stop))
        except BaseException as error:
            self.error = error
        self.over.set()

    def _fail(self, error: BaseException) -> None:
        """End a job whose thread does not run, or no more."""
        with self.lock:
            dead = self.thread is None or not self.thread.is_alive()
            if (dead or not self.running) and not self.over.is_set():
                self.error = error
                self.over.set()

    def result(self) -> T:
        """Wait for the end, whatever becomes of the screen or interrupts: nobody may go on while the work still does.

        :raises BaseException: what the work raised.
        :raises CommandFailed: its thread died.
        """
        self.start()
        while not self.over.is_set():
            try:
                if not self.over.wait(TICK) and self.thread is not None and not self.thread.is_alive():
                    self._fail(CommandFailed(_("the thread that works has died"), ident="HIB-E-THREADS"))
            except BaseException:
                self.stop.requested = True
        if self.error is not None:
            raise self.error
        return self.value[0]


class StagePage(Page):
    """What is being done, how far it is, and how to stop it."""

    help = N_(
        "The machine is working. Nothing is lost if you stop it: the image, if there is one, stays as it is, "
        "and a session that is being saved goes on."
    )
    keys: Sequence[Key] = (Key.STOP, Key.HELP, Key.LOG, Key.REDRAW)

    def __init__(self, window: Window, title: str, stop: Stop) -> None:
        self.title = title
        self.stop = stop
        self.track = Track()
        window.logs = lambda: [(_("this run"), lambda: list(self.track.log))]
        self.board = Board(self.track, bar=not window.simple)
        super().__init__(window, self.board, focus=None)

    def command(self, key: Key | None) -> bool:
        """Stop at once, without a question: nothing is lost by it."""
        if key is not Key.STOP:
            return super().command(key)
        self.stop.requested = True
        self.draw()
        return True

    def take(self, event: Event) -> None:
        """Show an event."""
        self.track.take(event)
        self.draw()

    def draw(self) -> None:
        """Show everything as it is now, with the word about stopping."""
        self.board.draw()
        if not self.stop.possible:
            self.keys = keys.NOTHING
            self.window.show_keys()
        if self.stop.requested:
            late = _("It is too late to stop: this is being finished.")
            self.tell(_("stopping...") if self.stop.possible else late, Level.WARNING)


def run_stage(title: str, work: Work[T], sink: Sink, *, screen: BaseScreen | None = None) -> T:
    """Do a long piece of work, with a live screen; Esc asks it to stop.

    :param screen: instead of the terminal, for tests.
    :raises BaseException: what the work raised, after the terminal was given back.
    """
    stop = Stop()
    window = Window(screen)
    page = StagePage(window, title, stop)
    sink = steady(sink)
    job = Job(work, both(steady(lambda event: window.call(page.take, event)), sink), stop)
    try:
        _watch(window, page, job)
    except KeyboardInterrupt:
        stop.requested = True
    except Exception as error:
        sink(Message(_("the screen failed ({error}); the work goes on").format(error=error), Level.WARNING))
    return job.result()


def _watch(window: Window, page: StagePage, job: Job[T]) -> None:
    def begin(*_: object) -> None:
        job.start()
        Thread(target=end, daemon=True).start()

    def end() -> None:
        job.over.wait()
        window.call(window.end)

    def tick(loop: urwid.MainLoop, _: object) -> None:
        page.draw()
        loop.set_alarm_in(TICK, tick)

    window.show(page)
    window.loop.set_alarm_in(0, begin)
    window.loop.set_alarm_in(TICK, tick)
    window.run()
