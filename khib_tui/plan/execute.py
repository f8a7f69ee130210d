"""Applying the steps of a plan, and knowing whether a failure came before or after a change."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from khib_tui.errors import Cancelled, CommandFailed, FailedAfterChange, KhibError
from khib_tui.events.sinks import steady
from khib_tui.events.types import Failure, Sink, Status, Step
from khib_tui.linux.ending import heed, undisturbed
from khib_tui.plan.step import Action, Context


def execute(actions: Sequence[Action], context: Context, sink: Sink) -> None:
    """Apply the steps in order, and undo what can be undone when one fails.

    :raises FailedAfterChange: something was changed before or by the step that failed.
    :raises KhibError: as the step says; nothing was changed.
    :raises KeyboardInterrupt: a signal asked for the end.
    """
    sink = context.sink = steady(sink)
    try:
        for number, action in enumerate(actions, 1):
            _apply(Step(number, len(actions), action.describe(), Status.STARTED), action, context, sink)
    except BaseException:
        _undo(context)
        raise
    context.release()


def _undo(context: Context) -> None:
    """Undo whatever further signals come; what it has done already it does not do again."""
    done = False
    while not done:
        with suppress(KeyboardInterrupt), undisturbed():
            context.undo()
            done = True


def _apply(step: Step, action: Action, context: Context, sink: Sink) -> None:
    started = time.monotonic()
    try:
        with judged(context):
            sink(step)
            heed()
            action.apply(context)
    except BaseException:
        sink(Step(step.number, step.total, step.text, Status.FAILED, time.monotonic() - started))
        raise
    sink(Step(step.number, step.total, step.text, Status.DONE, time.monotonic() - started))


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
