"""Remembering a run while it is made: its log, and of a journey what became of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from khib_tui.errors import Cancelled
from khib_tui.events.sinks import both, steady
from khib_tui.events.types import Failure, Sink
from khib_tui.model.journey import End, Journey
from khib_tui.plan import log
from khib_tui.plan.journal import Journal
from khib_tui.plan.step import Context

SETTING_UP = "setup"


@contextmanager
def remembered(settings_path: Path, journey: Journey | None, context: Context, sink: Sink) -> Iterator[Sink]:
    """Give the sink for a run, which writes its log too, and keep what becomes of the journey.

    :param journey: what is known before it begins; None for a set-up.
    """
    journal = Journal.beside(settings_path)
    if journey:
        journey = msgspec.structs.replace(journey, started=time.time())
        journal.put(journey)
    with log.kept(journal.folder, journey.rung if journey else SETTING_UP) as written:
        written = steady(written)
        try:
            yield both(sink, written)
        except BaseException as error:
            written(Failure.of(error))
            if journey:
                journal.put(failed(journey, context, error))
            raise
    if journey:
        journal.put(returned(journey, context))


def failed(journey: Journey, context: Context, error: BaseException) -> Journey:
    """Return a journey that did not go well."""
    told = Failure.of(error)
    end = End.CANCELLED if isinstance(error, Cancelled | KeyboardInterrupt) else End.FAILED
    away = context.away_seconds
    return msgspec.structs.replace(journey, end=end, text=told.message, ident=told.ident, away_seconds=away)


def returned(journey: Journey, context: Context) -> Journey:
    """Return a journey that went well, with what the report tells of it."""
    journey = msgspec.structs.replace(journey, end=End.WELL, away_seconds=context.away_seconds)
    if context.report is None:
        return journey
    report = context.report
    return msgspec.structs.replace(
        journey, image_bytes=report.image_bytes, memory_bytes=report.memory_bytes, save_seconds=report.save_seconds,
        restore_seconds=report.restore_seconds, codec=report.codec or journey.codec, text=report.text,
    )  # fmt: skip
