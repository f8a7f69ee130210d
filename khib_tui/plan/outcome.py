"""A is back: what its user is told, from the report that B or C left."""

from __future__ import annotations

from typing import Any

import msgspec

from khib_tui.errors import Cancelled, CommandFailed, Exit
from khib_tui.events.types import Result, Sink
from khib_tui.handover.handover import Mode
from khib_tui.handover.report import Outcome, Report
from khib_tui.model.units import duration, size

AWAY = "away_seconds"


def welcome(data: Any) -> str:
    """Return how A greets its user after a hibernation.

    :param data: of the result, as `arrived` gives it.
    """
    away = data.get(AWAY) if isinstance(data, dict) else None
    return f"Welcome back: asleep {duration(away)}" if isinstance(away, float) else "This system is back"


def arrived(report: Report | None, away_seconds: float, sink: Sink, mode: Mode) -> int:
    """Tell the user what happened while A was away."""
    verb = "hibernate" if mode is Mode.SAVE else "rehearse"
    if report is None:
        sink(Result(verb, True, "this system is back, but no report was left"))
        return Exit.OK
    refuse_report(report)
    sink(Result(verb, True, report_text(report, away_seconds), msgspec.to_builtins(report) | {AWAY: away_seconds}))
    return Exit.OK


def refuse_report(report: Report) -> None:
    """Turn a report of failure into an error.

    :raises Cancelled: the user stopped it.
    :raises CommandFailed: saving failed; A is back as it was.
    """
    if report.outcome is Outcome.CANCELLED:
        raise Cancelled(f"cancelled: {report.text}; this system is back, no image was kept", ident="HIB-E-CANCELLED")
    if report.outcome is Outcome.FAILED:
        text = f"not hibernated: {report.text}; this system is back"
        raise CommandFailed(text, hint=report.hint or None, ident=report.ident or "HIB-E-SAVE")


def report_text(report: Report, away: float) -> str:
    """Format a report in a line."""
    if report.outcome is Outcome.REHEARSED and not report.image_bytes:
        return f"rehearsed: {report.text}, {duration(away)} away{memory_text(report)}"
    amounts = f"image {size(report.image_bytes)} of {size(report.memory_bytes)}, saved in {duration(report.save_seconds)}"
    if report.outcome is Outcome.REHEARSED:
        return f"rehearsed: {report.text}; {amounts}{memory_text(report)}"
    if report.outcome is Outcome.WOKEN:
        return f"{report.text}; {duration(away)} away"
    return f"resumed: yes  {amounts}, restored in {duration(report.restore_seconds)}, {duration(away)} away"


def memory_text(report: Report) -> str:
    """Return how near the saver came to the end of its memory, to be added to a line; empty if nobody looked."""
    if not report.saver_memory:
        return ""
    return f"; memory of the saver: {size(report.saver_memory_free)} of {size(report.saver_memory)} free at its lowest"
