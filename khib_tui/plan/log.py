"""A log of each run, a line an event with its time; the last ones are kept. A log that cannot be written forbids nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from khib_tui import files
from khib_tui.events.sinks import lines_of, progress_text, quiet
from khib_tui.events.types import Event, Progress, Sink
from khib_tui.model.text import clean, visible

FOLDER = "logs"
SUFFIX = ".log"
MOST = 20
MOST_BYTES = 512 << 10
_PROGRESS_EVERY = 10.0


class Log:
    """Takes events and writes them to a file that others cannot read; what goes beyond its bound is left out.

    :param fd: an open file, which is closed by `close`.
    """

    def __init__(self, fd: int) -> None:
        self.fd, self.written = fd, 0
        self.progress = float("-inf")

    def __call__(self, event: Event) -> None:
        """Write an event."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        data = "".join(f"{stamp} {visible(line)}\n" for line in self.lines(event)).encode(errors="backslashreplace")
        if self.written + len(data) > MOST_BYTES:
            return
        self.written += len(data)
        os.write(self.fd, data)

    def lines(self, event: Event) -> list[str]:
        """Return the lines of an event; of progress only one now and then."""
        if not isinstance(event, Progress):
            return lines_of(event)
        now = time.monotonic()
        if now - self.progress < _PROGRESS_EVERY and event.done < event.total:
            return []
        self.progress = now
        return [progress_text(event)]

    def close(self) -> None:
        """Make it durable."""
        with suppress(OSError):
            os.fsync(self.fd)
        os.close(self.fd)


@contextmanager
def kept(folder: Path, name: str) -> Iterator[Sink]:
    """Give who writes a new log, and close it afterwards.

    :param folder: of what is remembered.
    :param name: what runs, a word.
    """
    try:
        log = Log(_new(folder / FOLDER, name))
    except OSError:
        yield quiet
        return
    try:
        yield log
    finally:
        log.close()


def _new(folder: Path, name: str) -> int:
    files.folder(folder)
    for path in listed(folder.parent)[MOST - 1 :]:
        path.unlink(missing_ok=True)
    path = folder / f"{time.strftime('%Y-%m-%dT%H%M%S')}-{name}{SUFFIX}"
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, files.PRIVATE)


def listed(folder: Path) -> list[Path]:
    """Return the logs that are kept, the newest first."""
    with suppress(OSError):
        return sorted((folder / FOLDER).glob(f"*{SUFFIX}"), reverse=True)
    return []


def read(path: Path) -> list[str]:
    """Return the lines of a log, made safe to show.

    :raises OSError: it cannot be read.
    """
    return [clean(line, 1000) for line in files.read(path, 2 * MOST_BYTES).decode(errors="replace").splitlines()]
