"""Work on frames on all processors, in order and with bounded memory."""

from __future__ import annotations

import ctypes
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

from khib_tui.errors import CommandFailed
from khib_tui.i18n import N_, _
from khib_tui.model.limits import MOST_WORKERS, WORKER_MEMORY
from khib_tui.model.units import KIB, MIB

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h

RESERVE = 32 * MIB
# Seconds between looks at whether a thread has died.
_LOOK = 0.5
_SHORT = N_("memory may be short: give the saver a larger region")

_END: Any = object()

T = TypeVar("T")
R = TypeVar("R")


def workers() -> int:
    """How many threads to use: one a processor, but not more than there is memory for. B and C have little of it."""
    return max(1, min(len(os.sched_getaffinity(0)), MOST_WORKERS, (available() - RESERVE) // WORKER_MEMORY))


def available(path: Path = Path("/proc/meminfo")) -> int:
    """Return the available memory in bytes; 1 << 62 if unknown."""
    try:
        words = path.read_text().split()
        return int(words[words.index("MemAvailable:") + 1]) * KIB
    except (OSError, ValueError, IndexError):
        return 1 << 62


def keep_memory() -> None:
    """Tell malloc to keep what is freed: buffers of a frame's size come and go, and each new page costs a fault."""
    libc = ctypes.CDLL(None)
    libc.mallopt(_M_MMAP_THRESHOLD, 32 * MIB)
    libc.mallopt(_M_TRIM_THRESHOLD, 256 * MIB)


def _nothing() -> None:
    return


def together(
    work: Callable[[T], R], items: Iterable[T], threads: int, done: Callable[[R], None], give_up: Callable[[], None] = _nothing
) -> None:
    """Apply `work` to all items in threads, each of which takes the next item when it has finished one.

    No thread runs on when this function has returned or raised, and it only returns if every item came to its end. With
    fewer threads than were asked for, as low memory gives them, the work goes on.

    :param done: told each result, one at a time; may raise to stop.
    :param give_up: called when something was raised, to wake threads that wait for one another.
    :raises BaseException: what was raised first; the others end after their item.
    """
    crew = _Crew(work, iter(items), done, give_up)
    try:
        crew.start(threads)
    except BaseException as error:
        crew.closed = True
        crew.fail(error)
    finally:
        crew.wait()
    if crew.failures:
        raise crew.failures[0]
    if not crew.exhausted or crew.taken != crew.finished:
        raise CommandFailed(_("a thread died and left its work"), hint=_(_SHORT), ident="HIB-E-THREADS")


class _Crew(Generic[T, R]):
    """The threads of `together`, and the books of what they took and finished.

    `closed` keeps a thread out that begins to run although its start raised.
    """

    def __init__(
        self, work: Callable[[T], R], source: Iterator[T], done: Callable[[R], None], give_up: Callable[[], None]
    ) -> None:
        self.work, self.source, self.done, self.give_up = work, source, done, give_up
        self.lock, self.closed = threading.Lock(), False
        self.failures: list[BaseException] = []
        self.threads: list[threading.Thread] = []
        self.ended: list[bool] = []
        self.taken = self.finished = 0
        self.exhausted = False

    def start(self, count: int) -> None:
        """Start threads; fewer than `count` are enough, if the kernel gives no more.

        :raises RuntimeError, MemoryError: not even one could be started.
        """
        for number in range(count):
            self.ended.append(False)
            thread = threading.Thread(target=self._member, args=(number,), daemon=True)
            self.threads.append(thread)
            try:
                thread.start()
            except (RuntimeError, MemoryError):
                if not number:
                    raise
                self.ended[number] = True
                return

    def fail(self, error: BaseException) -> None:
        """Let all threads end after their item."""
        self.failures.append(error)
        self.give_up()

    def _member(self, number: int) -> None:
        try:
            with self.lock:
                if self.closed:
                    return
            while not self.failures and self._item():
                pass
        except BaseException as error:  # raised again by the thread that waits
            self.fail(error)
        self.ended[number] = True

    def _item(self) -> bool:
        """Take an item to its end; False if there is none."""
        with self.lock:
            item = next(self.source, _END)
            if item is _END:
                self.exhausted = True
                return False
            self.taken += 1
        result = self.work(item)
        with self.lock:
            self.done(result)
            self.finished += 1
        return True

    def wait(self) -> None:
        """Wait until no thread runs any more, whatever interrupts: the memory that they work on is in use."""
        over = False
        while not over:
            try:
                over = self._look()
            except BaseException as error:
                self.fail(error)

    def _look(self) -> bool:
        """Wait a while for a thread that runs; True if none does."""
        running = next((thread for thread in self.threads if thread.is_alive()), None)
        if running is not None:
            running.join(_LOOK)
        if not self.failures and self._died():
            self.fail(CommandFailed(_("a thread died and left its work"), hint=_(_SHORT), ident="HIB-E-THREADS"))
        return running is None

    def _died(self) -> bool:
        """Tell whether a thread ended without a word, so that others may wait for it in vain."""
        # in this order: who is not alive has said before whether it came to its end
        dead = [number for number, thread in enumerate(self.threads) if not thread.is_alive()]
        return not all(self.ended[number] for number in dead)


class InOrder(Generic[R]):
    """Passes numbered results on in the order of their numbers, from 0 without a gap, as soon as it can.

    :param take: gets each result, one at a time.
    :param ahead: so many results at most are kept for their turn.
    """

    def __init__(self, take: Callable[[R], None], ahead: int) -> None:
        self.take, self.ahead = take, ahead
        self.next, self.over = 0, False
        self.kept: dict[int, R] = {}
        self.changed = threading.Condition()

    def wait(self, number: int) -> None:
        """Wait until the result of this number could be kept; to be called before it is made.

        :raises RuntimeError: those before it will never come.
        """
        with self.changed:
            self.changed.wait_for(lambda: self.over or number < self.next + self.ahead)
            if self.over:
                raise RuntimeError("another thread gave up")

    def at_once(self, number: int, pass_on: Callable[[], T]) -> T | None:
        """Pass a number on before there is a result, if its turn has come; gives what `pass_on` does, else None."""
        with self.changed:
            if self.next != number:
                return None
            result = pass_on()
            self.next += 1
            self.changed.notify_all()
            return result

    def give(self, number: int, result: R) -> None:
        """Hand in a result."""
        with self.changed:
            self.kept[number] = result
            while self.next in self.kept:
                self.take(self.kept.pop(self.next))
                self.next += 1
            self.changed.notify_all()

    def refuse_gaps(self) -> None:
        """See that all that was handed in was passed on.

        :raises CommandFailed: results wait for one that never came.
        """
        if self.kept:
            raise CommandFailed(_("part {next} never came").format(next=self.next), hint=_(_SHORT), ident="HIB-E-THREADS")

    def give_up(self) -> None:
        """Wake all who wait: there may be gaps now."""
        with self.changed:
            self.over = True
            self.changed.notify_all()


def ordered(work: Callable[[T], R], items: Iterable[T], threads: int) -> Iterator[R]:
    """Apply `work` in threads and give the results in the order of `items`, at most `2 * threads` ahead.

    The codecs and digests release the interpreter lock, so threads do run side by side.
    """
    from concurrent.futures import Future, ThreadPoolExecutor  # only exports need it: B and C have no time to lose

    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[R]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= 2 * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
