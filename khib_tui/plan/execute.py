"""Applying the steps of a plan."""

from __future__ import annotations

import time
from collections.abc import Sequence

from khib_tui.events.types import Sink, Status, Step
from khib_tui.plan.step import Action, Context


def execute(actions: Sequence[Action], context: Context, sink: Sink) -> None:
    """Apply the steps in order, and undo what can be undone when one fails.

    :raises KhibError: as the failing step says.
    """
    for number, action in enumerate(actions, 1):
        started = time.monotonic()
        try:
            sink(Step(number, len(actions), action.describe(), Status.STARTED))
            action.apply(context)
        except BaseException:
            sink(Step(number, len(actions), action.describe(), Status.FAILED, time.monotonic() - started))
            context.undo()
            raise
        sink(Step(number, len(actions), action.describe(), Status.DONE, time.monotonic() - started))
