"""`khib seal`, and opening seals for the other commands."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from khib_tui.errors import Exit, ImageError
from khib_tui.events.types import Message, Result, Sink, Step
from khib_tui.seal import ask as secret
from khib_tui.seal import crypto
from khib_tui.seal import file as sealfile
from khib_tui.seal.crypto import Sealer
from khib_tui.seal.file import Opened
from khib_tui.seal.keyslots import Seal

HARD_TO_TYPE = "the passphrase has other characters than ASCII: they may be missing on the keyboard of the restoring kernel"


def seal(arguments: Namespace, sink: Sink) -> int:
    """Make the seal of all later images, or take it away."""
    path = sealfile.path_beside(arguments.settings)
    if arguments.dry_run:
        sink(Step(1, 1, describe(path, off=arguments.off), "planned"))
        return Exit.OK
    if arguments.off:
        there = sealfile.remove(path)
        text = "images will not be sealed any more; those that are there still are" if there else "images were not sealed"
        sink(Result("seal", True, text, {"path": str(path), "sealed": False}))
        return Exit.OK
    passphrase = secret.new(arguments.key_file)
    if secret.hard_to_type(passphrase):
        sink(Message(HARD_TO_TYPE, "warning"))
    made, recovery = crypto.create(passphrase, crypto.best_cipher())
    sealfile.save(made, path)
    data = {"path": str(path), "sealed": True, "cipher": str(made.cipher), "recovery_key": recovery}
    sink(Result("seal", True, told(made, recovery), data))
    return Exit.OK


def describe(path: Path, *, off: bool) -> str:
    """Say what `khib seal` would do."""
    if off:
        return f"remove {path}: later images are not sealed"
    again = "replace" if path.exists() else "write"
    what = f"a new master key for {crypto.best_cipher()}, wrapped for a passphrase and a recovery key"
    return f"{again} {path} (mode 0600): {what}"


def told(made: Seal, recovery: str) -> str:
    """Say the recovery key, for the only time."""
    return (
        f"images will be sealed with {made.cipher}\n\nrecovery key, shown only now:\n\n    {recovery}\n\n"
        "Write it down and keep it apart from this machine: it opens images if the passphrase is forgotten."
    )


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
    typed = secret.ask("Passphrase or recovery key (empty: show only what the header says): ")
    if not typed:
        return None
    try:
        return crypto.sealer_for(kept, typed, image_id)
    except ImageError as error:
        raise secret.refused(error) from None
