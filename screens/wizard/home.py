"""The everyday page of a machine that is set up."""

from __future__ import annotations

import urwid
from urwid.widget import AbstractFlowWidget

from khib_tui.decide import rehearsals
from khib_tui.decide.choice import decide
from khib_tui.errors import KhibError
from khib_tui.events.types import Failure
from khib_tui.handover.handover import Mode
from khib_tui.i18n import N_, _
from khib_tui.model.units import size
from screens.ui import widgets
from screens.ui.keys import Key
from screens.ui.page import Page
from screens.ui.shown import Text
from screens.wizard.flow import Flow
from screens.wizard.history import chart


class HomePage(Page):
    """What can be done, and whether it would work now."""

    title = N_("khib: hibernation by kexec")
    help = N_(
        "Hibernate now: saves the running system and powers off, after a question. Rehearse: tries a part of "
        "that and comes back. Images: lists them, and gives one up. History: earlier hibernations. Settings: "
        "changes one choice. All questions again: goes through the set-up from its begin. Seal the images: "
        "encrypts later ones."
    )
    keys = (Key.CHOOSE, Key.HELP, Key.SCROLL, Key.LEAVE, Key.LOG)

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        actions = [
            (_("Hibernate now"), lambda: flow.travel(Mode.SAVE)),
            (_("Rehearse"), flow.rehearse),
            (_("Images"), flow.images),
            (_("History"), flow.history),
            (_("Settings"), flow.choices),
            (_("Seal the images"), flow.seal),
            (_("All questions again"), lambda: flow.go(0)),
            *([(_("Forget the changes"), flow.forget)] if flow.kept != flow.settings else []),
            (_("Quit"), flow.leave),
        ]
        rows: list[AbstractFlowWidget] = [*widgets.button_column(actions)]
        past = chart(flow.journeys, flow.now.boot_id)
        below: list[AbstractFlowWidget] = [Text(text) for text in past]
        below = [urwid.Divider(), Text(("heading", _("Last hibernations:"))), *below] if past else []
        super().__init__(flow.window, widgets.listed([*rows, *below], intro=self.summary()), focus=None)

    def summary(self) -> str:
        """Return whether a hibernation would work now, and what it would do."""
        try:
            choice = decide(self.flow.machine, self.flow.settings)
        except KhibError as error:
            return _("Not ready: {text}").format(text=Failure.of(error).text)
        saved = size(choice.region.saved.total)
        changed = self.flow.kept != self.flow.settings
        kept = (
            _("The choices were changed; the next run sets them up.")
            if changed
            else _("Choices: {path}").format(path=self.flow.path)
        )
        ready = _("Ready. Up to {size} go to {target}, saved by kernel {release}.").format(
            size=saved, target=choice.target, release=choice.kernel.release
        )
        tried = rehearsals.advice(self.flow.journeys, self.flow.now)
        return f"{ready}\n{tried}\n{kept}\n{self.flow.seal_text()}"

    def back(self) -> None:
        """There is nothing behind: ask whether to leave."""
        self.leave()

    def leave(self) -> None:
        """Leave; nothing is unfinished."""
        self.flow.leave()
