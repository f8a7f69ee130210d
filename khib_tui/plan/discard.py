"""Giving an image up."""

from __future__ import annotations

from dataclasses import dataclass

from khib_tui.errors import ImageError, KhibError
from khib_tui.events.types import Level, Message
from khib_tui.i18n import _
from khib_tui.image import header as headers
from khib_tui.image.header import State
from khib_tui.model.machine import Machine
from khib_tui.plan import swap
from khib_tui.plan.step import Context
from khib_tui.target import catalog, pick
from khib_tui.target.catalog import Found


@dataclass(frozen=True)
class Discard:
    """Mark an image as given up; nothing of it can be resumed then.

    :param file_target: the settings' target, which may be a file that no search finds.
    """

    machine: Machine
    found: Found
    file_target: str = ""

    def describe(self) -> str:
        """Return which image."""
        return _("discard the image on {line}").format(line=catalog.line(self.found))

    def apply(self, context: Context) -> None:
        """Mark it, if it is the same still.

        :raises ImageError: another one is there now.
        """
        with pick.chosen(self.machine, self.found.where, self.file_target, writable=True) as (now, store):
            if now.header.image_id != self.found.header.image_id:
                raise ImageError(
                    _("there is another image on {where} now").format(where=now.where),
                    hint=_("look again"),
                    ident="HIB-E-IMAGE-CHANGED",
                )
            context.changed = True
            headers.advance(store, now.header, State.ABANDONED, "discarded by the user")
        self.give_swap_back(context)

    def give_swap_back(self, context: Context) -> None:
        """Have the swap back that the image lay in; where that fails, the next start of this system does it."""
        if not self.found.target.spans or not self.file_target:
            return
        try:
            swap.give_back(self.file_target, context)
        except (KhibError, OSError) as error:
            context.sink(Message(_("the swap is not back: {error}").format(error=error), Level.WARNING))
