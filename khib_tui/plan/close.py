"""What becomes of an image once its system runs again: it is done, or given up, and never resumed."""

from __future__ import annotations

import time

from msgspec import Struct

from khib_tui.decide.choice import Choice
from khib_tui.errors import CommandFailed, KhibError
from khib_tui.events.types import Level, Message
from khib_tui.handover.report import Outcome, Report
from khib_tui.i18n import N_, _
from khib_tui.image import header as headers
from khib_tui.image.header import State
from khib_tui.image.store import Store
from khib_tui.model.identity import TargetRef
from khib_tui.plan.step import Context
from khib_tui.target.place import opened
from khib_tui.target.remote import here

# Seconds, after a resume, until a network card is connected again.
WAIT_FOR_NETWORK = 30.0
LOST, NO_DRIVER = "HIB-E-TARGET-LOST", "HIB-E-NFS-DRIVER"


class CloseImage(Struct, frozen=True):
    """Mark a resumed image as done. One that is complete beside this running system is given up."""

    choice: Choice

    def describe(self) -> str:
        """Describe the step."""
        return _("mark the image as done")

    def apply(self, context: Context) -> None:
        """Mark it if it is ours.

        :raises CommandFailed: the target cannot be written; the image stays as it is.
        """
        context.closing = None
        context.release()
        assert context.handover is not None and context.handover.target is not None
        try:
            given_up = self._close(context.handover.target, context.handover.image_id)
        except (KhibError, OSError) as error:
            if text := harmless(context.handover.target, context.report):
                context.sink(Message(text.format(error=error)))
                return
            text = _("the image could not be marked as done: {error}").format(error=error)
            raise CommandFailed(text, hint=_("give it up with `khib image discard`"), ident="HIB-E-DONE") from error
        if given_up:
            context.sink(Message(_("the image was complete although this system goes on: it was given up"), Level.WARNING))

    def _close(self, target: TargetRef, image_id: str) -> bool:
        """Close it; another machine may take a while to be reached again."""
        until = time.monotonic() + (WAIT_FOR_NETWORK if target.remote else 0)
        while True:
            try:
                with opened(self.choice.machine.devices, here(target)) as store:
                    return close(store, image_id)
            except (KhibError, OSError) as error:
                if time.monotonic() >= until or getattr(error, "ident", "") == NO_DRIVER:
                    raise
                time.sleep(1)


def harmless(target: TargetRef, report: Report | None) -> str:
    """Return how to tell of an `{error}` that keeps an image from being marked, if it is no harm; '' if it is, or may be."""
    if report is None:
        return ""
    if report.outcome is Outcome.RESUMED and (target.spans or target.remote):
        return _("the image stays marked as resumed, which it never is again: {error}")
    if report.ident == LOST:
        return _("the image is not complete, and cannot be reached: {error}")
    return ""


def close(store: Store, image_id: str) -> bool:
    """Let an image of the system that runs never be resumed again; return whether it could have been.

    :raises KhibError, OSError: the medium cannot be read or written.
    """
    ours = [slot for slot in headers.read_slots(store) if slot and slot.image_id == image_id]
    if not ours:
        return False
    newest = max(ours, key=lambda header: header.generation)
    if newest.state is State.CLAIMED:
        headers.advance(store, newest, State.DONE)
    elif any(slot.state is State.COMPLETE for slot in ours):
        headers.advance(store, newest, State.ABANDONED, N_("the system in it went on without it"))
        return True
    return False
