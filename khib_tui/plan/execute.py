"""Applying the steps of a plan, and knowing whether a failure came before or after a change."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from khib_tui.errors import Cancelled, CommandFailed, FailedAfterChange, KhibError
from khib_tui.events.types import Failure, Sink, Status, Step
from khib_tui.plan.step import Action, Context


def execute(actions: Sequence[Action], context: Context, sink: Sink) -> None:
    """Apply the steps in order, and undo what can be undone when one fails.

    :raises FailedAfterChange: something was changed before or by the step that failed.
    :raises KhibError: as the step says; nothing was changed.
    """
    for number, action in enumerate(actions, 1):
        started = time.monotonic()
        try:
            with judged(context):
                sink(Step(number, len(actions), action.describe(), Status.STARTED))
                action.apply(context)
        except BaseException:
            sink(Step(number, len(actions), action.describe(), Status.FAILED, time.monotonic() - started))
            context.undo()
            raise
        sink(Step(number, len(actions), action.describe(), Status.DONE, time.monotonic() - started))


@contextmanager
def judged(context: Context) -> Iterator[None]:
    """Give an error of what is done inside the class that says whether something was changed.

    :raises FailedAfterChange: something was.
    :raises KhibError: nothing was.
    """
    try:
        yield
    except Cancelled:
        raise
    except (KhibError, OSError) as error:
        told = Failure.of(error)
        if context.changed:
            raise FailedAfterChange(told.message, hint=told.hint or None, ident=told.ident) from error
        if isinstance(error, OSError):
            raise CommandFailed(told.message, hint=told.hint, ident=told.ident) from error
        raise
