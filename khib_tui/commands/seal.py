"""`khib seal`."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from khib_tui.errors import Exit
from khib_tui.events.types import Level, Message, Result, Sink, Status, Step
from khib_tui.seal import ask as secret
from khib_tui.seal import crypto
from khib_tui.seal import file as sealfile
from khib_tui.seal.keyslots import Seal

HARD_TO_TYPE = "the passphrase has other characters than ASCII: they may be missing on the keyboard of the restoring kernel"


def seal(arguments: Namespace, sink: Sink) -> int:
    """Make the seal of all later images, or take it away."""
    path = sealfile.path_beside(arguments.settings)
    if arguments.dry_run:
        sink(Step(1, 1, describe(path, off=arguments.off), Status.PLANNED))
        return Exit.OK
    if arguments.off:
        there = sealfile.remove(path)
        text = "images will not be sealed any more; those that are there still are" if there else "images were not sealed"
        sink(Result("seal", True, text, {"path": str(path), "sealed": False}))
        return Exit.OK
    passphrase = secret.new(arguments.key_file)
    if secret.hard_to_type(passphrase):
        sink(Message(HARD_TO_TYPE, Level.WARNING))
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
