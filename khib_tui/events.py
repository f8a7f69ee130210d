"""What happens, as typed events: the `--json` lines, and what every progress screen draws.

Each event is one JSON object a line, told apart by its `event` key; sizes are bytes, times are seconds.
`docs/events.md` lists them all.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol, TextIO

import msgspec

from khib_tui.units import duration, size


class Event(msgspec.Struct, frozen=True, tag_field="event"):
    """Base of all events."""


class Message(Event, frozen=True, tag="message"):
    """A line for the log; level is `info`, `warning` or `error`."""

    text: str
    level: str = "info"


class Finding(Event, frozen=True, tag="finding"):
    """One answer of a check: what was found, why it matters, what to do about it.

    Severity is `ok`, `warning` or `blocker`.
    """

    ident: str
    severity: str
    what: str
    why: str = ""
    fix: str = ""


class Step(Event, frozen=True, tag="step"):
    """A step of a plan; status is `planned`, `started`, `done` or `failed`."""

    number: int
    total: int
    text: str
    status: str
    seconds: float | None = None


class Progress(Event, frozen=True, tag="progress"):
    """How far a long stage is. `rate` is bytes (or units) a second, `eta` seconds or null."""

    stage: str
    done: int
    total: int
    elapsed: float
    rate: float = 0.0
    eta: float | None = None
    unit: str = "bytes"


class Stage(Event, frozen=True, tag="stage"):
    """A stage of the cycle begins or ends; status is `started`, `done` or `failed`."""

    stage: str
    status: str
    detail: str = ""
    seconds: float | None = None


class Result(Event, frozen=True, tag="result"):
    """The last event of a command; `data` is what that command documents."""

    verb: str
    ok: bool
    text: str = ""
    data: dict[str, Any] = {}


class Failure(Event, frozen=True, tag="error"):
    """Why a command ends without having done its work."""

    ident: str
    message: str
    hint: str = ""
    exit_code: int = 1


class LabResult(Event, frozen=True, tag="lab-result"):
    """What `khib lab demo` saw; times are wall clock seconds of the last cycle."""

    resumed: bool
    memory_intact: bool
    cycles: int
    image_bytes: int
    ram_bytes: int
    save_seconds: float
    restore_seconds: float
    hibernate_seconds: float
    resume_seconds: float
    disks_identical: bool = True
    fsck_clean: bool | None = None
    detail: str = ""
    sealed: bool = False


AnyEvent = Message | Finding | Step | Progress | Stage | Result | Failure | LabResult


class Sink(Protocol):
    """Whoever takes events: a terminal, a JSON stream, a screen, a list in a test."""

    def __call__(self, event: Event) -> None:
        """Take one event; must not block for long."""


def encode(event: Event) -> bytes:
    """Give the JSON line of an event, without its newline."""
    return msgspec.json.encode(event)


def decode(line: bytes | str) -> AnyEvent:
    """Read an event back from its JSON line.

    :raises msgspec.ValidationError: the line is JSON but no event of ours.
    :raises msgspec.DecodeError: the line is no JSON.
    """
    event: AnyEvent = msgspec.json.decode(line, type=AnyEvent)
    return event


class JsonSink:
    """Writes one JSON object a line, unbuffered."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream

    def __call__(self, event: Event) -> None:
        self.stream.write(encode(event) + b"\n")
        self.stream.flush()


def progress_text(event: Progress) -> str:
    """Say progress in one line of at most 76 columns."""
    percent = 100.0 * event.done / event.total if event.total else 100.0
    if event.unit != "bytes":
        parts = [f"{event.stage} {percent:5.1f} %", f"{event.done} of {event.total} {event.unit}"]
    else:
        parts = [f"{event.stage} {percent:5.1f} %", f"{size(event.done)} of {size(event.total)}"]
        if event.rate:
            parts.append(f"{size(event.rate)}/s")
    if event.eta is not None:
        parts.append(f"{duration(event.eta)} left")
    return "  ".join(parts)


class PlainSink:
    """Prints events as lines a person reads; progress overwrites its line on a terminal."""

    marks = {"ok": "[ ok ]", "warning": "[warn]", "blocker": "[STOP]"}  # noqa: RUF012

    def __init__(self, stream: TextIO | None = None, every: float = 2.0) -> None:
        self.stream = stream or sys.stdout
        self.live = self.stream.isatty()
        self.every = 0.2 if self.live else every
        self.last = 0.0
        self.open_line = False

    def __call__(self, event: Event) -> None:
        if isinstance(event, Progress):
            self._progress(event)
            return
        for line in self._lines(event):
            self._line(line)

    def _progress(self, event: Progress) -> None:
        now = time.monotonic()
        if now - self.last < self.every and event.done < event.total:
            return
        self.last = now
        if not self.live:
            self._line(progress_text(event))
            return
        self.stream.write("\r" + progress_text(event).ljust(78))
        self.stream.flush()
        self.open_line = True

    def _line(self, text: str) -> None:
        if self.open_line:
            self.stream.write("\n")
            self.open_line = False
        self.stream.write(text + "\n")
        self.stream.flush()

    def _lines(self, event: Event) -> list[str]:
        match event:
            case Message(text=text, level=level):
                return [text if level == "info" else f"{level}: {text}"]
            case Finding(severity=severity, what=what, why=why, fix=fix):
                lines = [f"{self.marks[severity]} {what}"]
                if severity != "ok":
                    lines += [f"       {text}" for text in (why, fix and f"-> {fix}") if text]
                return lines
            case Step(number=number, total=total, text=text, status="planned"):
                return [f"{number:2}. {text}" if total else text]
            case Step(number=number, total=total, text=text, status="started"):
                return [f"[{number}/{total}] {text}"]
            case Stage(stage=stage, status="failed", detail=detail):
                return [f"{stage} failed: {detail}"]
            case Stage(stage=stage, status="done", detail=detail, seconds=seconds):
                took = "" if seconds is None else f" in {duration(seconds)}"
                return [f"{stage}: done{took}{', ' + detail if detail else ''}"]
            case Stage(stage=stage, detail=detail):
                return [f"{stage}{': ' + detail if detail else ' ...'}"]
            case Result(text=text):
                return [text] if text else []
            case Failure(message=message, hint=hint, ident=ident):
                return [f"error: {message} [{ident}]"] + ([f"(hint) {hint}"] if hint else [])
        return []


class Meter:
    """Turns "so many bytes are done" into Progress events with rate and time left, at most `per_second`.

    :param clock: seconds, monotonic; for tests.
    """

    def __init__(
        self, sink: Sink, stage: str, total: int, *, unit: str = "bytes", per_second: float = 4.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.sink, self.stage, self.total, self.unit = sink, stage, total, unit
        self.clock = clock
        self.started = clock()
        self.interval = 1.0 / per_second
        self.last = float("-inf")
        self.done = 0

    def add(self, amount: int) -> None:
        """Count `amount` more as done."""
        self.at(self.done + amount)

    def at(self, done: int) -> None:
        """Set how much is done, and tell the sink if it is time to."""
        self.done = done
        now = self.clock()
        if now - self.last < self.interval and done < self.total:
            return
        self.last = now
        elapsed = now - self.started
        rate = done / elapsed if elapsed > 0 else 0.0
        eta = (self.total - done) / rate if rate and elapsed > 0.5 else None
        self.sink(Progress(self.stage, done, self.total, elapsed, rate, eta, self.unit))

    @property
    def elapsed(self) -> float:
        """Seconds since the meter was made."""
        return self.clock() - self.started
