"""Work on frames on all processors, in order and with bounded memory."""

from __future__ import annotations

import ctypes
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

from khib_tui.model.limits import MOST_WORKERS, WORKER_MEMORY
from khib_tui.model.units import KIB, MIB

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h

RESERVE = 32 * MIB

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

    :param done: told each result, one at a time; may raise to stop.
    :param give_up: called when something was raised, to wake threads that wait for one another.
    :raises BaseException: what was raised first; the others end after their item.
    """
    source, lock, failures = iter(items), threading.Lock(), list[BaseException]()

    def member() -> None:
        try:
            while not failures:
                with lock:
                    try:
                        item = next(source)
                    except StopIteration:
                        return
                result = work(item)
                with lock:
                    done(result)
        except BaseException as error:  # raised again below, in the caller's thread
            failures.append(error)
            give_up()

    crew = [threading.Thread(target=member, daemon=True) for _ in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        # none may run on after this function has returned, not even if it is interrupted: the memory is in use
        while thread.is_alive():
            try:
                thread.join()
            except BaseException as error:
                failures.append(error)
                give_up()
    if failures:
        raise failures[0]


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

    def give(self, number: int, result: R) -> None:
        """Hand in a result."""
        with self.changed:
            self.kept[number] = result
            while self.next in self.kept:
                self.take(self.kept.pop(self.next))
                self.next += 1
            self.changed.notify_all()

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
