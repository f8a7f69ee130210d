"""What becomes of an image once its system runs again: it is done, or given up, and never resumed."""

from __future__ import annotations

from msgspec import Struct

from khib_tui.decide.choice import Choice
from khib_tui.errors import CommandFailed, KhibError
from khib_tui.events.types import Level, Message
from khib_tui.handover.report import Outcome
from khib_tui.i18n import N_, _
from khib_tui.image import header as headers
from khib_tui.image.header import State
from khib_tui.image.store import Store
from khib_tui.plan.step import Context
from khib_tui.target.place import opened


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
            with opened(self.choice.machine.devices, context.handover.target) as store:
                given_up = close(store, context.handover.image_id)
        except (KhibError, OSError) as error:
            if context.handover.target.spans and context.report and context.report.outcome is Outcome.RESUMED:
                context.sink(
                    Message(_("the image stays marked as resumed, which it never is again: {error}").format(error=error))
                )
                return
            text = _("the image could not be marked as done: {error}").format(error=error)
            raise CommandFailed(text, hint=_("give it up with `khib image discard`"), ident="HIB-E-DONE") from error
        if given_up:
            context.sink(Message(_("the image was complete although this system goes on: it was given up"), Level.WARNING))


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
