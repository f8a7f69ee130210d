"""The recovery key read back from the note: a slip of the pen is found while the key can still be shown."""

from __future__ import annotations

import urwid

from khib_tui.errors import Refused
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
INTRO = f"Now from your note: type the groups {GROUPS[0]} and {GROUPS[1]} of the recovery key, of four characters each."


class ReadBackPage(Page):
    """Asks for a part of the key; the seal is kept once that is right.

    :param again: shows the key once more.
    """

    title = "Recovery key, read back"
    help = f"{INTRO} If the note is wrong, 'Show the key again' leads back. Nothing is sealed before."
    keys = keys.PAGE

    def __init__(self, flow: Flow, seal: Seal, recovery: str, again: Press) -> None:
        self.flow, self.seal, self.recovery, self.again = flow, seal, recovery, again
        self.field = urwid.Edit("", max_length=20)
        label = f"Groups {GROUPS[0]} and {GROUPS[1]}:"
        choices = [("Compare", self.compare), ("Show the key again", again)]
        body = widgets.listed([widgets.field(label, self.field)], intro=INTRO, fields=True)
        super().__init__(flow.window, body, choices, focus=None)

    def compare(self) -> None:
        """Keep the seal if what was typed is right: from now on images are sealed."""
        typed = bare(self.field.edit_text)
        if typed != wanted(self.recovery):
            self.refuse(Refused(
                f"'{clean(self.field.edit_text)}' is not what stands in groups {GROUPS[0]} and {GROUPS[1]} of the key",
                hint="look at your note; 'Show the key again' lets you correct it", ident="HIB-E-RECOVERY-KEY",
            ))  # fmt: skip
            self.pile.focus_position = 0
            return
        step = KeepSeal(sealfile.path_beside(self.flow.path), self.seal)
        self.flow.apply([step], f"Images will be sealed: {describe(self.seal)}.")

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


def bare(text: str) -> str:
    """Return a part of a key as typed: case, spaces, dashes, and O for 0, I or L for 1 do not matter."""
    return "".join(text.upper().replace("-", "").split()).translate(str.maketrans("OIL", "011"))


def wanted(recovery: str) -> str:
    """Return what must be typed."""
    groups = recovery.split("-")
    return "".join(groups[at - 1] for at in GROUPS)
