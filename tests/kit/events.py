"""One event of each kind, and the one that ended a command."""

from __future__ import annotations

from khib_tui.events.types import (
    Event,
    Failure,
    Finding,
    LabResult,
    Level,
    Message,
    Progress,
    Result,
    Severity,
    Stage,
    StageName,
    Status,
    Step,
)

EVENTS: list[Event] = [
    Message("x", Level.WARNING), Finding("HIB-E-X", Severity.BLOCKER, "what", "why", "fix"), Step(1, 2, "do", Status.DONE, 0.5),
    Progress(StageName.SAVE, 1, 2, 3.0, 4.0, None), Stage(StageName.SAVE, Status.FAILED, "reason"),
    Result("check", True, "fine", {"a": [1]}),
    Failure("HIB-E-X", "no", "then", 4), LabResult(True, True, 1, 2, 3, 4, 5, 6, 7),
]  # fmt: skip


def failure_of(events: list[Event]) -> Failure:
    """The failure that ended a command."""
    assert isinstance(events[-1], Failure)
    return events[-1]
