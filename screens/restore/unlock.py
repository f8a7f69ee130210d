"""C asks for the passphrase of a sealed image."""

from __future__ import annotations

from functools import partial

from khib_tui.errors import ImageError
from khib_tui.events.types import Sink, Stage, StageName, Status
from khib_tui.i18n import N_, _
from khib_tui.model.text import clean
from khib_tui.restorer import unlock
from khib_tui.seal.ask import result_or_wrong
from khib_tui.target.catalog import Found
from screens.ui import keys, widgets
from screens.ui.page import Page
from screens.ui.secrets import SecretFields
from screens.ui.widgets import Size
from screens.ui.window import Window


class UnlockPage(Page):
    """Takes the passphrase or the recovery key, as often as it takes. `opened` is the image with what opens it."""

    title = N_("khib: this session is sealed")
    help = N_(
        "Type the passphrase of this system, or the recovery key that was shown when its images were sealed. "
        "In a recovery key small and capital letters, spaces and dashes do not matter. A wrong one changes "
        "nothing. The keyboard has the layout that the text console of the sleeping system had; 'show what is "
        "typed' shows what arrives."
    )
    keys = keys.PAGE

    def __init__(self, window: Window, found: Found, sink: Sink) -> None:
        self.found, self.sink = found, sink
        self.opened: Found | None = None
        self.tries = 0
        self.secret = SecretFields([_("Passphrase or recovery key:")])
        where = _("The session of {host} on {where} is sealed.").format(
            host=clean(found.header.host or _("an unnamed system")), where=found.where
        )
        body = widgets.listed(self.secret.rows, intro=where, fields=True)
        super().__init__(window, body, [(_("Open"), self.attempt), (_("Not now"), self.back)], focus=None)
        sink(unlock.waits(found))

    def attempt(self) -> None:
        """Try what was typed, in a thread: it takes a second or two by intention."""
        (typed,) = self.secret.take()
        trying = partial(result_or_wrong, lambda: unlock.attempt(self.found, typed))
        self.window.background(_("Trying it..."), trying, self.answer)

    def answer(self, given: Found | ImageError) -> None:
        """End if it was right, else say that it was not."""
        if isinstance(given, ImageError):
            self.tries += 1
            self.sink(Stage(StageName.PASSPHRASE, Status.FAILED, given.message))
            self.pile.focus_position = 0
            self.refuse(
                ImageError(
                    _("try {tries}: {message}").format(tries=self.tries, message=given.message),
                    hint=given.hint,
                    ident=given.ident,
                )
            )
            return
        self.sink(Stage(StageName.PASSPHRASE, Status.DONE))
        self.opened = given
        self.window.end()

    def keypress(self, size: Size, key: str) -> str | None:
        """Let Enter in the field try it."""
        left = super().keypress(size, key)
        if left != "enter":
            return left
        self.attempt()
        return None

    def back(self) -> None:
        """Go back to the choices."""
        self.window.end()

    def leave(self) -> None:
        """Go back to the choices."""
        self.window.end()
