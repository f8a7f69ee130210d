"""The seal in the wizard: saying whether there is one, and asking for the passphrase that opens it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from khib_tui.errors import ImageError, KhibError
from khib_tui.events.types import Failure
from khib_tui.i18n import N_, _
from khib_tui.seal import file as sealfile
from khib_tui.seal import unlock as sealing
from khib_tui.seal.ask import result_or_wrong
from khib_tui.seal.file import Opened
from khib_tui.seal.keyslots import Seal, describe
from screens.ui.dialogs import Secret
from screens.ui.window import Window

TEXT = N_("The image will be sealed with the passphrase of this system.")


def seal_text(settings_path: Path) -> str:
    """Return whether images will be sealed."""
    try:
        seal = sealfile.load(sealfile.path_beside(settings_path))
    except KhibError as error:
        return Failure.of(error).text
    return (
        _("Images are sealed: {seal}.").format(seal=describe(seal))
        if seal
        else _("Images are not sealed: {why}.").format(why=sealfile.unsealed().why)
    )


def ask_secret(window: Window, seal: Seal, go_on: Callable[[Opened], None], text: str = TEXT) -> None:
    """Ask for the passphrase until it is right, or the user gives up."""

    def answer(given: Opened | ImageError) -> None:
        if isinstance(given, ImageError):
            ask_secret(window, seal, go_on, Failure.of(given).text)
        else:
            go_on(given)

    def done(typed: str) -> None:
        window.close()
        window.background(_("Trying it..."), lambda: result_or_wrong(lambda: sealing.unlock(seal, typed)), answer)

    window.open(Secret(window.room, _("Passphrase"), _(text), done, window.close))
