"""A is back: what its user is told, from the report that B or C left."""

from __future__ import annotations

from typing import Any

import msgspec

from khib_tui.errors import Cancelled, CommandFailed, Exit
from khib_tui.events.types import Result, Sink
from khib_tui.handover.handover import Mode
from khib_tui.handover.report import Outcome, Report
from khib_tui.i18n import _
from khib_tui.model.units import duration, size

AWAY = "away_seconds"


def welcome(data: Any) -> str:
    """Return how A greets its user after a hibernation.

    :param data: of the result, as `arrived` gives it.
    """
    away = data.get(AWAY) if isinstance(data, dict) else None
    return (
        _("Welcome back: asleep {duration}").format(duration=duration(away))
        if isinstance(away, float)
        else _("This system is back")
    )


def arrived(report: Report | None, away_seconds: float, sink: Sink, mode: Mode) -> int:
    """Tell the user what happened while A was away."""
    verb = "hibernate" if mode is Mode.SAVE else "rehearse"
    if report is None:
        sink(Result(verb, True, _("this system is back, but no report was left")))
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
        raise Cancelled(
            _("cancelled: {text}; this system is back, no image was kept").format(text=report.text), ident="HIB-E-CANCELLED"
        )
    if report.outcome is Outcome.FAILED:
        text = _("not hibernated: {text}; this system is back").format(text=report.text)
        raise CommandFailed(text, hint=report.hint or None, ident=report.ident or "HIB-E-SAVE")


def report_text(report: Report, away: float) -> str:
    """Format a report in a line."""
    if report.outcome is Outcome.REHEARSED and not report.image_bytes:
        return _("rehearsed: {text}, {duration} away{memory}").format(
            text=report.text, duration=duration(away), memory=memory_text(report)
        )
    amounts = _("image {size} of {total}, saved in {duration}").format(
        size=size(report.image_bytes), total=size(report.memory_bytes), duration=duration(report.save_seconds)
    )
    if report.outcome is Outcome.REHEARSED:
        return _("rehearsed: {text}; {amounts}{memory}").format(text=report.text, amounts=amounts, memory=memory_text(report))
    if report.outcome is Outcome.WOKEN:
        return _("{text}; {duration} away").format(text=report.text, duration=duration(away))
    return _("resumed: yes  {amounts}, restored in {duration}, {away} away").format(
        amounts=amounts, duration=duration(report.restore_seconds), away=duration(away)
    )


def memory_text(report: Report) -> str:
    """Return how near the saver came to the end of its memory, to be added to a line; empty if nobody looked."""
    if not report.saver_memory:
        return ""
    return _("; memory of the saver: {free} of {total} free at its lowest").format(
        free=size(report.saver_memory_free), total=size(report.saver_memory)
    )
