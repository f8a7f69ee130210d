"""The everyday page of a machine that is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import urwid

from khib_tui.decide.choice import decide
from khib_tui.errors import KhibError
from khib_tui.events import sinks
from khib_tui.handover.handover import Mode
from khib_tui.model.units import size
from screens import widgets
from screens.base import Page
from screens.keys import Key

if TYPE_CHECKING:
    from screens.app import Wizard


class HomePage(Page):
    """What can be done, and whether it would work now."""

    title = "khib: hibernation by kexec"
    help = (
        "Hibernate now: saves the running system and powers off, after a question. Rehearse: jumps into the saver and "
        "comes back. Change the set-up: goes through the questions again. Images: lists them, and gives one up. "
        "Seal the images: encrypts later ones with a passphrase."
    )
    keys = (Key.CHOOSE, Key.HELP, Key.SCROLL, Key.LEAVE)

    def __init__(self, wizard: Wizard) -> None:
        self.wizard = wizard
        actions = [
            ("Hibernate now", lambda: wizard.travel(Mode.SAVE)),
            ("Rehearse", wizard.rehearse),
            ("Change the set-up", lambda: wizard.go(0)),
            ("Images", wizard.images),
            ("Seal the images", wizard.seal),
            ("Quit", wizard.leave),
        ]
        rows = [urwid.Padding(widgets.button(label, press), width=25) for label, press in actions]
        super().__init__(wizard.window, widgets.listed(rows, intro=self.summary()), focus=None)

    def summary(self) -> str:
        """Say whether a hibernation would work now, and what it would do."""
        try:
            choice = decide(self.wizard.machine, self.wizard.settings)
        except KhibError as error:
            return f"Not ready: {sinks.error_text(error)}"
        saved = size(choice.region.saved.total)
        changed = self.wizard.kept != self.wizard.settings
        kept = "The choices were changed; the next run sets them up." if changed else f"Choices: {self.wizard.path}"
        ready = f"Ready. Up to {saved} go to {choice.target}, saved by kernel {choice.kernel.release}."
        return f"{ready}\n{kept}\n{self.wizard.seal_text()}"

    def back(self) -> None:
        """There is nothing behind: ask whether to leave."""
        self.leave()

    def leave(self) -> None:
        """Leave; nothing is unfinished."""
        self.wizard.leave()
