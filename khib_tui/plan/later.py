"""How one goes on after a hibernation."""

from __future__ import annotations

from khib_tui.decide import nextboot
from khib_tui.decide.choice import Choice
from khib_tui.decide.nextboot import OneShot
from khib_tui.i18n import _
from khib_tui.plan.boot import WriteBootEntry


def later(choice: Choice) -> str:
    """Say it, as the user reads it before and while the machine goes off."""
    entry = WriteBootEntry(choice).entry().title
    if nextboot.choose(choice.machine, choice.loader, choice.target) is OneShot.HAND:
        return _("To go on later, switch the machine on and choose '{entry}' in the boot menu.").format(entry=entry)
    return _("To go on later, switch the machine on: it resumes by itself. '{entry}' in the boot menu does the same.").format(
        entry=entry
    )
