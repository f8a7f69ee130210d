"""Asking for passphrases: on the terminal without echo, or from a file. They are kept nowhere and shown nowhere."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from typing import TextIO, TypeVar

from khib_tui.errors import ImageError, KhibError, Refused, UsageError

MIN_LENGTH = 8
MAX_LENGTH = 512
_MAX_BYTES = 4 * MAX_LENGTH + 2
TRIES = 3
WRONG = "HIB-E-PASSPHRASE"
T = TypeVar("T")


def from_file(name: str) -> str:
    """Read a secret from a file, `-` for standard input; one newline at its end is not part of it.

    :raises UsageError: it cannot be read, is empty, or no text.
    """
    try:
        data = sys.stdin.buffer.read(_MAX_BYTES) if name == "-" else _read(name)
        text = data.decode().removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the key file {name} cannot be read: {error}", ident="HIB-E-KEY-FILE") from error
    if not text or len(text) > MAX_LENGTH:
        what = "is empty" if not text else f"is longer than {MAX_LENGTH} characters"
        raise UsageError(f"the key file {name} {what}", hint="put the passphrase alone into it", ident="HIB-E-KEY-FILE")
    return text


def _read(name: str) -> bytes:
    with open(name, "rb") as stream:
        return stream.read(_MAX_BYTES)


def has_terminal() -> bool:
    """Tell whether somebody can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def ask(prompt: str, stream: TextIO | None = None) -> str:
    """Ask on the terminal, without echo.

    :param stream: where the prompt goes; written to when the echo is off already.
    :raises Refused: there is no terminal.
    """
    if not has_terminal():
        raise Refused(
            "a passphrase is needed, and there is no terminal to ask on", hint="give --key-file FILE, or - for standard input",
            ident="HIB-E-TTY",
        )  # fmt: skip
    try:
        return getpass.getpass(prompt, stream)
    except EOFError as error:
        raise Refused("no passphrase was typed", hint="type it, or give --key-file FILE", ident=WRONG) from error


def refuse_weak(passphrase: str) -> None:
    """Refuse a new passphrase that nobody should use.

    :raises Refused: it is too short.
    """
    if len(passphrase) < MIN_LENGTH:
        hint = "several words are easy to remember and hard to guess"
        raise Refused(f"the passphrase has less than {MIN_LENGTH} characters", hint=hint, ident="HIB-E-WEAK")


def hard_to_type(passphrase: str) -> bool:
    """Tell whether a passphrase has characters that the restoring kernel's keyboard may not have."""
    return not (passphrase.isascii() and passphrase.isprintable())


def new(key_file: str) -> str:
    """Get a new passphrase: from the file, or typed twice.

    :raises Refused: it is too short, or both are not the same.
    """
    if key_file:
        passphrase = from_file(key_file)
        refuse_weak(passphrase)
        return passphrase
    passphrase = ask("New passphrase: ")
    refuse_weak(passphrase)
    if ask("The same again: ") != passphrase:
        raise Refused("the two passphrases are not the same", hint="nothing was changed; try again", ident=WRONG)
    return passphrase


def until_right(open_: Callable[[str], T], key_file: str, tries: int = TRIES) -> T:
    """Ask until a secret opens something, or take the one in the file.

    :raises Refused: none did (HIB-E-PASSPHRASE).
    """
    if key_file:
        return _tried(open_, from_file(key_file))
    for left in range(tries - 1, -1, -1):
        try:
            return _tried(open_, ask("Passphrase or recovery key: "))
        except Refused as error:
            if error.ident != WRONG or not left:
                raise
            print(f"{error.message}; {left} more tr{'y' if left == 1 else 'ies'}", file=sys.stderr)
    raise AssertionError("unreachable")


def _tried(open_: Callable[[str], T], secret: str) -> T:
    try:
        return open_(secret)
    except ImageError as error:
        raise refused(error) from None


def refused(error: KhibError) -> KhibError:
    """Turn a wrong secret into a refusal: nothing was changed."""
    return Refused(error.message, hint=error.hint, ident=error.ident) if error.ident == WRONG else error


def result_or_wrong(open_: Callable[[], T]) -> T | ImageError:
    """Give what a secret opens, or the error that says it is wrong: whoever draws a screen asks again.

    :raises ImageError: something else is at fault.
    """
    try:
        return open_()
    except ImageError as error:
        if error.ident != WRONG:
            raise
        return error
