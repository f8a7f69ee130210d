"""Sealing: a passphrase typed twice, and the recovery key shown once."""

from __future__ import annotations

from functools import partial

import urwid
from urwid.widget import AbstractFlowWidget

from khib_tui.errors import KhibError, Refused
from khib_tui.events.types import Level
from khib_tui.i18n import N_, _
from khib_tui.linux import keymap
from khib_tui.plan.seal import RemoveSeal
from khib_tui.seal import ask as secret
from khib_tui.seal import crypto, strength
from khib_tui.seal import file as sealfile
from khib_tui.seal.keyslots import Seal
from screens.ui import keys, widgets
from screens.ui.keys import Key
from screens.ui.page import Page
from screens.ui.secrets import SecretFields
from screens.ui.shown import Text
from screens.ui.widgets import Size
from screens.wizard.flow import Flow
from screens.wizard.readback import ReadBackPage

INTRO = N_(
    "A sealed image is encrypted, and any change of it is noticed. Hibernating and resuming ask for the "
    "passphrase. Who loses both passphrase and recovery key loses the hibernated session."
)


class SealPage(Page):
    """A new passphrase; nothing is sealed before the recovery key was shown."""

    title = N_("Seal the images")
    intro = INTRO
    help = N_(
        "At least {least} characters; several words are easy to remember and hard to guess. When resuming it is typed on "
        "this machine's keyboard, with the layout that the text console (Ctrl-Alt-F3) has here; characters that it lacks "
        "are named. 'Show what is typed' shows what the keys give."
    )
    keys = keys.PAGE

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.path = sealfile.path_beside(flow.path)
        self.secret = SecretFields([_("New passphrase:"), _("The same again:")])
        self.typable = keymap.characters(keymap.read())
        self.strength = Text("")
        for field in self.secret.fields[:1]:
            urwid.connect_signal(field, "postchange", lambda *_: self.judge())
        now = flow.seal_text()
        choices = [(_("Seal"), self.seal), (_("Back"), self.back)]
        if self.path.exists():
            choices.insert(1, (_("Stop sealing"), self.ask_off))
        rows = [*self.secret.rows, urwid.Divider(), self.strength]
        body = widgets.listed(rows, intro=f"{_(INTRO)}\n\n{now}", fields=True)
        super().__init__(flow.window, body, choices, focus=None)

    def help_text(self) -> str:
        """Say how long a passphrase has to be, too."""
        return super().help_text().format(least=secret.MIN_LENGTH)

    def judge(self) -> None:
        """Say how strong what is typed is, and what of it the restorer's keyboard has not."""
        typed = str(self.secret.fields[0].edit_text)
        lines = [_("Strength: {strength}").format(strength=strength.judge(typed))] if typed else []
        missing = "".join(dict.fromkeys(char for char in typed if char not in self.typable))
        told = _("The keyboard layout of the restorer has no key for: {missing}")
        lines += [told.format(missing=missing)] if missing else []
        self.strength.set_text("\n".join(lines))

    def seal(self) -> None:
        """Make the keys, and show the recovery key."""
        try:
            passphrase = agreed(*self.secret.take())
        except KhibError as error:
            self.pile.focus_position = 0
            self.refuse(error)
            return
        hard = any(char not in self.typable for char in passphrase)
        self.window.background(
            _("Making the keys..."), lambda: crypto.create(passphrase, crypto.best_cipher()),
            lambda made: self.window.show(RecoveryKeyPage(self.flow, *made, warning=_(secret.HARD_TO_TYPE) if hard else "")),
        )  # fmt: skip

    def ask_off(self) -> None:
        """Ask before later images are not sealed any more."""
        text = _("{why}.\n\nImages that are there stay sealed.").format(why=sealfile.unsealed().why)
        self.window.ask(_("Stop sealing?"), text, [(_("No"), lambda: None), (_("Stop sealing"), self.off)])

    def off(self) -> None:
        """Stop sealing."""
        self.flow.apply([RemoveSeal(self.path)], _("New images will not be sealed."))

    def back(self) -> None:
        """Go back, changing nothing."""
        self.flow.sealed("")

    def keypress(self, size: Size, key: str) -> str | None:
        """Let Enter in a field go to the next one."""
        left = super().keypress(size, key)
        return super().keypress(size, "tab") if left == "enter" else left


def agreed(first: str, second: str) -> str:
    """Return the passphrase that was typed twice.

    :raises Refused: it is too short, or the two differ.
    """
    secret.refuse_weak(first)
    if first != second:
        raise Refused(_("the two passphrases are not the same"), hint=_("type both again"), ident=secret.WRONG)
    return first


class RecoveryKeyPage(Page):
    """The recovery key, for the only time."""

    title = N_("Recovery key")
    help = N_("The key opens images if the passphrase is forgotten. It is kept nowhere: write it down, away from this machine.")
    keys = (Key.CHOOSE, Key.HELP, Key.FIELD)

    def __init__(self, flow: Flow, seal: Seal, recovery: str, *, warning: str = "") -> None:
        self.flow, self.seal, self.recovery, self.warning = flow, seal, recovery, warning
        rows: list[AbstractFlowWidget] = [
            Text(_("If the passphrase is forgotten, only this key opens the images. It is shown now and never again:")),
            urwid.Divider(),
            widgets.line(f"    {recovery}", "heading"),
            urwid.Divider(),
            Text(_("Small and capital letters, spaces and dashes do not matter when it is typed.")),
        ]
        if warning:
            rows += [urwid.Divider(), widgets.item(widgets.mark("warning"), warning, "warning")]
        choices = [(_("I have written it down"), self.keep), (_("Do not seal"), lambda: flow.sealed(_("Nothing was changed.")))]
        super().__init__(flow.window, widgets.listed(rows, 2), choices, focus=None)

    def keep(self) -> None:
        """Ask for a part of it, read from the note; only then images are sealed."""
        flow = self.flow
        again = partial(RecoveryKeyPage, flow, self.seal, self.recovery, warning=self.warning)
        flow.window.show(ReadBackPage(flow, self.seal, self.recovery, lambda: flow.window.show(again())))

    def keypress(self, size: Size, key: str) -> str | None:
        """Let no slip of the finger take the key away."""
        left = super().keypress(size, key)
        if left == "enter":
            self.tell(_("Write the key down; Tab leads to the buttons."))
            return None
        if keys.find(left or "", (Key.BACK, Key.LEAVE)) not in (Key.BACK, Key.LEAVE):
            return left
        self.tell(_("Press one of the buttons: the key is never shown again."), Level.WARNING)
        return None
