"""`khib seal`, and opening seals for the other commands."""

from __future__ import annotations

from khib_tui.errors import ImageError
from khib_tui.i18n import _
from khib_tui.seal import ask as secret
from khib_tui.seal import crypto
from khib_tui.seal.crypto import Sealer
from khib_tui.seal.file import Opened
from khib_tui.seal.keyslots import Seal


def opened(kept: Seal | None, key_file: str) -> Opened | None:
    """Open the seal of this machine, asking for the passphrase; None if there is no seal.

    :raises Refused: no secret was right; nothing was changed.
    """
    if kept is None:
        return None
    return secret.until_right(lambda typed: unlock(kept, typed), key_file)


def unlock(kept: Seal, typed: str) -> Opened:
    """Open a seal with what was typed.

    :raises ImageError: it is wrong.
    """
    return Opened(kept, crypto.unlock(kept, typed))


def image_sealer(kept: Seal | None, image_id: str, key_file: str) -> Sealer | None:
    """Get what opens an image, asking for the passphrase; None if it is not sealed.

    :raises Refused: no secret was right.
    """
    if kept is None:
        return None
    return secret.until_right(lambda typed: crypto.sealer_for(kept, typed, image_id), key_file)


def info_sealer(kept: Seal | None, image_id: str, key_file: str) -> Sealer | None:
    """Get what opens an image that is only to be described; None without a secret: its header says something too.

    :raises Refused: a secret was given, and it is wrong.
    """
    if kept is None or not (key_file or secret.has_terminal()):
        return None
    if key_file:
        return image_sealer(kept, image_id, key_file)
    typed = secret.ask(_("Passphrase or recovery key (empty: show only what the header says): "))
    if not typed:
        return None
    try:
        return crypto.sealer_for(kept, typed, image_id)
    except ImageError as error:
        raise secret.refused(error) from None
