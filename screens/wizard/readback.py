"""The recovery key read back from the note: a slip of the pen is found while the key can still be shown."""

from __future__ import annotations

import urwid

from khib_tui.errors import Refused
from khib_tui.i18n import N_, _
from khib_tui.model.text import clean
from khib_tui.plan.seal import KeepSeal
from khib_tui.seal import file as sealfile
from khib_tui.seal.keyslots import Seal, describe
from screens.ui import keys, widgets
from screens.ui.page import Page
from screens.ui.widgets import Press, Size
from screens.wizard.flow import Flow

GROUPS = (3, 8)
"""Which groups of the key are asked for, counted from 1."""
INTRO = N_("Now from your note: type the groups {first} and {second} of the recovery key, of four characters each.")


class ReadBackPage(Page):
    """Asks for a part of the key; the seal is kept once that is right.

    :param again: shows the key once more.
    """

    title = N_("Recovery key, read back")
    help = N_("If the note is wrong, 'Show the key again' leads back. Nothing is sealed before.")
    keys = keys.PAGE

    def __init__(self, flow: Flow, seal: Seal, recovery: str, again: Press) -> None:
        self.flow, self.seal, self.recovery, self.again = flow, seal, recovery, again
        self.field = urwid.Edit("", max_length=20)
        label = numbered(_("Groups {first} and {second}:"))
        choices = [(_("Compare"), self.compare), (_("Show the key again"), again)]
        body = widgets.listed([widgets.field(label, self.field)], intro=numbered(_(INTRO)), fields=True)
        super().__init__(flow.window, body, choices, focus=None)

    def compare(self) -> None:
        """Keep the seal if what was typed is right: from now on images are sealed."""
        typed = bare(self.field.edit_text)
        if typed != wanted(self.recovery):
            self.refuse(different(self.field.edit_text))
            self.pile.focus_position = 0
            return
        step = KeepSeal(sealfile.path_beside(self.flow.path), self.seal)
        self.flow.apply([step], _("Images will be sealed: {seal}.").format(seal=describe(self.seal)))

    def back(self) -> None:
        """Show the key once more."""
        self.again()

    def keypress(self, size: Size, key: str) -> str | None:
        """Let Enter in the field compare."""
        left = super().keypress(size, key)
        if left != "enter":
            return left
        self.compare()
        return None


def numbered(text: str) -> str:
    """Put the numbers of the groups into a text."""
    return text.format(first=GROUPS[0], second=GROUPS[1])


def different(typed: str) -> Refused:
    """Return why what was typed is not taken."""
    text = _("'{typed}' is not what stands in groups {first} and {second} of the key")
    return Refused(
        text.format(typed=clean(typed), first=GROUPS[0], second=GROUPS[1]),
        hint=_("look at your note; 'Show the key again' lets you correct it"), ident="HIB-E-RECOVERY-KEY",
    )  # fmt: skip


def bare(text: str) -> str:
    """Return a part of a key as typed: case, spaces, dashes, and O for 0, I or L for 1 do not matter."""
    return "".join(text.upper().replace("-", "").split()).translate(str.maketrans("OIL", "011"))


def wanted(recovery: str) -> str:
    """Return what must be typed."""
    groups = recovery.split("-")
    return "".join(groups[at - 1] for at in GROUPS)
