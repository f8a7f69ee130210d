"""Who takes events: lines on a terminal, JSON."""

from __future__ import annotations

import sys
import time
from typing import BinaryIO, TextIO

from khib_tui.events.types import (
    Event,
    Failure,
    Finding,
    Level,
    Message,
    Progress,
    Result,
    Severity,
    Sink,
    Stage,
    Status,
    Step,
    encode,
)
from khib_tui.i18n import _
from khib_tui.model.text import encodable, visible
from khib_tui.model.units import duration, size


def both(*sinks: Sink) -> Sink:
    """Return a sink that gives every event to several."""

    def sink(event: Event) -> None:
        for each in sinks:
            each(event)

    return sink


def steady(*sinks: Sink) -> Sink:
    """Give every event to several sinks, and drop one that fails: who is told of the work decides nothing about it."""
    kept = list(sinks)

    def sink(event: Event) -> None:
        for each in tuple(kept):
            try:
                each(event)
            except Exception:
                if each in kept:
                    kept.remove(each)

    return sink


def quiet(event: Event) -> None:
    """Take an event and show nothing: a screen does, or nobody needs to."""


class JsonSink:
    """Writes one JSON object a line, unbuffered."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream

    def __call__(self, event: Event) -> None:
        self.stream.write(encode(event) + b"\n")
        self.stream.flush()


def progress_text(event: Progress) -> str:
    """Format progress in one line of at most 76 columns."""
    percent = 100.0 * event.done / event.total if event.total else 100.0
    if event.unit != "bytes":
        parts = [
            f"{_(event.stage)} {percent:5.1f} %",
            _("{done} of {total} {unit}").format(done=event.done, total=event.total, unit=_(event.unit)),
        ]
        if event.rate:
            parts.append(f"{event.rate:.1f}/s")
    else:
        parts = [
            f"{_(event.stage)} {percent:5.1f} %",
            _("{done} of {total}").format(done=size(event.done), total=size(event.total)),
        ]
        if event.rate:
            parts.append(f"{size(event.rate)}/s")
    if event.eta is not None:
        parts.append(_("{duration} left").format(duration=duration(event.eta)))
    return "  ".join(parts)


MARKS = {"ok": "[ ok ]", "warning": "[warn]", "blocker": "[STOP]"}


class PlainSink:
    """Prints events as lines a person reads; progress overwrites its line on a terminal.

    Whatever an event says, a line stays a line, and nothing but letters and signs reaches the stream.
    """

    marks = MARKS

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
        for line in lines_of(event):
            self._line(line)

    def _progress(self, event: Progress) -> None:
        now = time.monotonic()
        if now - self.last < self.every and event.done < event.total:
            return
        self.last = now
        if not self.live:
            self._line(progress_text(event))
            return
        self.stream.write("\r" + self._shown(progress_text(event)).ljust(78))
        self.stream.flush()
        self.open_line = True

    def _line(self, text: str) -> None:
        if self.open_line:
            self.stream.write("\n")
            self.open_line = False
        self.stream.write(self._shown(text) + "\n")
        self.stream.flush()

    def _shown(self, text: str) -> str:
        return encodable(visible(text), getattr(self.stream, "encoding", None))


def lines_of(event: Event) -> list[str]:
    """Format an event in lines a person reads; progress has none of its own."""
    match event:
        case Message(text=text, level=level):
            return [text if level == Level.INFO else f"{_(level)}: {text}"]
        case Finding(severity=severity, what=what, why=why, fix=fix):
            lines = [f"{MARKS[severity]} {what}"]
            if severity != Severity.OK:
                lines += [f"       {text}" for text in (why, fix and f"-> {fix}") if text]
            return lines
        case Step(number=number, total=total, text=text, status=Status.PLANNED):
            return [f"{number:2}. {text}" if total else text]
        case Step(number=number, total=total, text=text, status=Status.STARTED):
            return [f"[{number}/{total}] {text}"]
        case Stage(stage=stage, status=Status.FAILED, detail=detail):
            return [_("{stage} failed: {detail}").format(stage=_(stage), detail=detail)]
        case Stage(stage=stage, status=Status.DONE, detail=detail, seconds=seconds):
            form = _("{stage}: done") if seconds is None else _("{stage}: done in {duration}")
            text = form.format(stage=_(stage), duration=duration(seconds or 0))
            return [f"{text}, {detail}" if detail else text]
        case Stage(stage=stage, detail=detail):
            return [f"{_(stage)}{': ' + detail if detail else ' ...'}"]
        case Result(text=text):
            return text.split("\n") if text else []
        case Failure(message=message, hint=hint, ident=ident):
            return [_("error: {message} [{ident}]").format(message=message, ident=ident)] + (
                [_("(hint) {hint}").format(hint=hint)] if hint else []
            )
    return []
