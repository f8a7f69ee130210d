"""Opening a sealed image in C: what a person types is tried, and nothing on the disk changes by it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TextIO, cast

from khib_tui.errors import ImageError
from khib_tui.events.types import Level, Message, Sink, Stage, StageName, Status
from khib_tui.seal import ask as secret
from khib_tui.target.catalog import Found

TRIES = 5
PROMPT = "Passphrase or recovery key: "


def attempt(found: Found, typed: str) -> Found:
    """Give the image with what opens it.

    :raises ImageError: the passphrase or recovery key is wrong, or the keyslots are damaged.
    """
    from khib_tui.seal import crypto

    header = found.header
    assert header.seal
    return replace(found, sealer=crypto.sealer_for(header.seal, typed, header.image_id))


def waits(found: Found) -> Stage:
    """Say that a person is waited for."""
    return Stage(StageName.PASSPHRASE, Status.STARTED, f"the image on {found.where} is sealed")


def on_console(found: Found, sink: Sink, key_file: str = "") -> Found:
    """Ask on the console, a few times; an image that is not sealed needs nothing.

    :raises Refused: no try was right, or nobody can be asked.
    """
    if found.header.seal is None:
        return found
    for left in range((1 if key_file else TRIES) - 1, -1, -1):
        typed = secret.from_file(key_file) if key_file else secret.ask(PROMPT, _told(lambda: sink(waits(found))))
        try:
            opened = attempt(found, typed)
        except ImageError as error:
            sink(Stage(StageName.PASSPHRASE, Status.FAILED, error.message))
            if not left or error.ident != secret.WRONG:
                raise secret.refused(error) from None
            sink(Message(f"{left} more tr{'y' if left == 1 else 'ies'}", Level.WARNING))
        else:
            sink(Stage(StageName.PASSPHRASE, Status.DONE))
            return opened
    raise AssertionError("unreachable")


class _Told:
    """Passes a prompt on, and tells before it: at that moment the echo is off, and keys that come are taken."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self.tell, self.told = tell, False

    def write(self, text: str) -> int:
        if not self.told:
            self.told = True
            self.tell()
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def _told(tell: Callable[[], None]) -> TextIO:
    return cast(TextIO, _Told(tell))
