"""The everyday page of a machine that is set up."""

from __future__ import annotations

import urwid

from khib_tui.decide.choice import decide
from khib_tui.errors import KhibError
from khib_tui.events.types import Failure
from khib_tui.handover.handover import Mode
from khib_tui.model.units import size
from screens.ui import widgets
from screens.ui.keys import Key
from screens.ui.page import Page
from screens.wizard.flow import Flow


class HomePage(Page):
    """What can be done, and whether it would work now."""

    title = "khib: hibernation by kexec"
    help = (
        "Hibernate now: saves the running system and powers off, after a question. Rehearse: jumps into the saver and "
        "comes back. Change the set-up: goes through the questions again. Images: lists them, and gives one up. "
        "Seal the images: encrypts later ones with a passphrase."
    )
    keys = (Key.CHOOSE, Key.HELP, Key.SCROLL, Key.LEAVE)

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        actions = [
            ("Hibernate now", lambda: flow.travel(Mode.SAVE)),
            ("Rehearse", flow.rehearse),
            ("Change the set-up", lambda: flow.go(0)),
            ("Images", flow.images),
            ("Seal the images", flow.seal),
            *([("Forget the changes", flow.forget)] if flow.kept != flow.settings else []),
            ("Quit", flow.leave),
        ]
        rows = [urwid.Padding(widgets.button(label, press), width=25) for label, press in actions]
        super().__init__(flow.window, widgets.listed(rows, intro=self.summary()), focus=None)

    def summary(self) -> str:
        """Return whether a hibernation would work now, and what it would do."""
        try:
            choice = decide(self.flow.machine, self.flow.settings)
        except KhibError as error:
            return f"Not ready: {Failure.of(error).text}"
        saved = size(choice.region.saved.total)
        changed = self.flow.kept != self.flow.settings
        kept = "The choices were changed; the next run sets them up." if changed else f"Choices: {self.flow.path}"
        ready = f"Ready. Up to {saved} go to {choice.target}, saved by kernel {choice.kernel.release}."
        return f"{ready}\n{kept}\n{self.flow.seal_text()}"

    def back(self) -> None:
        """There is nothing behind: ask whether to leave."""
        self.leave()

    def leave(self) -> None:
        """Leave; nothing is unfinished."""
        self.flow.leave()
