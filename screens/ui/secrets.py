"""Fields for passphrases: masked, and shown in clear only while the user wants it."""

from __future__ import annotations

from collections.abc import Sequence

import urwid
from urwid.widget import AbstractFlowWidget

from khib_tui.i18n import _
from khib_tui.linux.secrecy import keep_secrets
from khib_tui.seal.ask import MAX_LENGTH
from screens.ui import widgets
from screens.ui.shown import shown

MASK = "*"
LABEL = 27


class SecretField(urwid.Edit):
    """A line for a secret; Enter leaves it."""

    def __init__(self) -> None:
        keep_secrets()
        super().__init__("", mask=MASK, max_length=MAX_LENGTH)

    def take(self) -> str:
        """Return what was typed, and empty the field."""
        text = str(self.edit_text)
        self.set_edit_text("")
        return text


class SecretFields:
    """Fields with labels, and a box below them that shows what is typed."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.fields = [SecretField() for _ in labels]
        show = urwid.CheckBox(shown(_("show what is typed")))
        urwid.connect_signal(show, "change", lambda _, state: self.show(state))
        self.rows: list[AbstractFlowWidget] = [
            *(
                widgets.labelled(label, urwid.AttrMap(field, "edit", "focus"), LABEL)
                for label, field in zip(labels, self.fields, strict=True)
            ),
            widgets.labelled("", urwid.AttrMap(show, None, "focus"), LABEL),
        ]

    def show(self, clear: bool) -> None:
        """Show or hide what is typed."""
        for field in self.fields:
            field.set_mask(None if clear else MASK)

    def take(self) -> list[str]:
        """Return what was typed, and empty the fields."""
        return [field.take() for field in self.fields]
