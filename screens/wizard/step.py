"""What the pages of the wizard have in common: an answer, Next, and Back."""

from __future__ import annotations

from urwid.widget import AbstractBoxWidget

from khib_tui.errors import KhibError
from khib_tui.i18n import N_, _
from khib_tui.model.settings import Settings
from screens.ui.page import Page
from screens.ui.widgets import Choices
from screens.wizard.flow import Flow


class StepPage(Page):
    """A page that turns settings into new ones. Subclasses say `answer`, which raises what forbids going on."""

    forward_label = N_("Next")

    def __init__(self, flow: Flow, note: str, body: AbstractBoxWidget, more: Choices = (), *, focus: int | None = 0) -> None:
        self.flow = flow
        forward = _("Keep") if flow.editing else _(self.forward_label)
        choices = [(forward, self.next), *more, (_("Back"), self.back)]
        super().__init__(flow.window, body, choices, note=note, focus=focus)

    def entered(self) -> Settings:
        """Return the settings with what stands on this page, whether or not one can go on with it."""
        return self.flow.settings

    def answer(self) -> Settings:
        """Return the settings with this page's answers.

        :raises KhibError: why one cannot go on from here.
        """
        return self.entered()

    def next(self) -> None:
        """Go on, unless the answer is refused."""
        try:
            settings = self.answer()
        except KhibError as error:
            self.refuse(error)
            return
        self.flow.forward(settings)

    def back(self) -> None:
        """Go back; what stands here is kept, and is there again on return."""
        self.flow.keep(self.entered())
        self.flow.back()
