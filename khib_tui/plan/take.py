"""The target, before anything is written: can it take the image, and does nobody else use it?"""

from __future__ import annotations

from msgspec import Struct

from khib_tui.decide.choice import Choice, image_limit
from khib_tui.errors import Refused
from khib_tui.i18n import _
from khib_tui.model.machine import BlockDevice
from khib_tui.plan.step import Context
from khib_tui.target import look


class TakeTarget(Struct, frozen=True):
    """Look at the target, and hold it from here to the jump, so that nothing else takes it."""

    choice: Choice

    def describe(self) -> str:
        """Return what is looked at."""
        target = self.choice.target
        assert target is not None
        if not target.path:
            return _("see that nothing else uses {device}, and keep it so until the jump").format(device=target.device)
        text = _("see that {path} can be written there, and that nothing else uses {device}, and keep it so until the jump")
        return text.format(path=target.path, device=target.device)

    def device(self) -> BlockDevice:
        """Return the device of the target."""
        target = self.choice.target
        found = self.choice.machine.device(target.device) if target else None
        if found is None:
            raise Refused(_("the target is not there"), hint=_("plug it in and try again"), ident="HIB-E-TARGET-MISSING")
        return found

    def look(self) -> None:
        """Look at the file, if the target is one.

        :raises KhibError: why it cannot take the image.
        """
        target = self.choice.target
        if target and target.path:
            look.refuse_unfit(self.device(), target.path, image_limit(self.choice.region))

    def apply(self, context: Context) -> None:
        """Look, and take it.

        :raises KhibError: why it cannot take the image, or that somebody uses it.
        """
        self.look()
        context.held.enter_context(look.held(self.device()))
