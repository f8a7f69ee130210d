"""Opening a sealed image in C: what a person types is tried, and nothing on the disk changes by it."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from khib_tui.errors import KhibError
from khib_tui.events.types import Level, Message, Sink, Stage, StageName, Status
from khib_tui.handover import moved
from khib_tui.handover.place import KERNEL
from khib_tui.i18n import _
from khib_tui.seal import ask as secret
from khib_tui.target.catalog import Found

TRIES = 5


def attempt(found: Found, typed: str) -> Found:
    """Return the image with what opens it.

    :raises ImageError: the passphrase or recovery key is wrong, or the keyslots are damaged.
    """
    from khib_tui.seal import crypto

    header = found.header
    assert header.seal
    try:
        sealer = crypto.sealer_for(header.seal, typed, header.image_id)
    except KhibError as error:
        if error.ident != crypto.NO_MEMORY:
            raise
        # Opening comes first: what the kernel's file takes is only for a C that was put elsewhere.
        Path("/", KERNEL).unlink(missing_ok=True)
        sealer = crypto.sealer_for(header.seal, typed, header.image_id)
    return replace(found, sealer=sealer)


def by_handover(found: Found) -> Found | None:
    """Return the image with what the C that started this one has opened it with; None without one."""
    header = found.header
    sealer = header.seal and moved.sealer_for(header.seal, header.image_id)
    return replace(found, sealer=sealer) if sealer else None


def waits(found: Found) -> Stage:
    """Say that a person is waited for."""
    return Stage(StageName.PASSPHRASE, Status.STARTED, _("the image on {where} is sealed").format(where=found.where))


def on_console(found: Found, sink: Sink, key_file: str = "") -> Found:
    """Ask on the console, a few times; an image that is not sealed needs nothing.

    :raises Refused: no try was right, or nobody can be asked.
    """
    if found.header.seal is None:
        return found
    if told := by_handover(found):
        return told

    def wrong(error: KhibError, left: int) -> None:
        sink(Stage(StageName.PASSPHRASE, Status.FAILED, error.message))
        if left:
            sink(Message(secret.tries_left(left), Level.WARNING))

    opened = secret.until_right(
        lambda typed: attempt(found, typed), key_file, TRIES, wait=lambda: sink(waits(found)), wrong=wrong
    )
    sink(Stage(StageName.PASSPHRASE, Status.DONE))
    return opened
