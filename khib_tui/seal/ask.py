"""Asking for passphrases: on the terminal without echo, or from a file. They are kept nowhere and shown nowhere."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from typing import TextIO, TypeVar, cast

from khib_tui.errors import ImageError, KhibError, Refused, UsageError
from khib_tui.i18n import N_, _, ngettext
from khib_tui.linux.secrecy import keep_secrets
from khib_tui.model.text import visible

MIN_LENGTH = 8
MAX_LENGTH = 512
_MAX_BYTES = 4 * MAX_LENGTH + 2
TRIES = 3
PROMPT = N_("Passphrase or recovery key: ")
WRONG = "HIB-E-PASSPHRASE"
HARD_TO_TYPE = N_("the passphrase has other characters than ASCII: they may be missing on the keyboard of the restoring kernel")
T = TypeVar("T")


def from_file(name: str) -> str:
    """Read a secret from a file, `-` for standard input; one newline at its end is not part of it.

    :raises UsageError: it cannot be read, is empty, or no text.
    """
    keep_secrets()
    try:
        data = sys.stdin.buffer.read(_MAX_BYTES) if name == "-" else _read(name)
        text = data.decode().removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            _("the key file {name} cannot be read: {error}").format(name=name, error=error), ident="HIB-E-KEY-FILE"
        ) from error
    if not text or len(text) > MAX_LENGTH:
        what = _("is empty") if not text else _("is longer than {most} characters").format(most=MAX_LENGTH)
        raise UsageError(
            _("the key file {name} {what}").format(name=name, what=what),
            hint=_("put the passphrase alone into it"),
            ident="HIB-E-KEY-FILE",
        )
    return text


def _read(name: str) -> bytes:
    with open(name, "rb") as stream:
        return stream.read(_MAX_BYTES)


def has_terminal() -> bool:
    """Return whether somebody can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def ask(prompt: str, stream: TextIO | None = None) -> str:
    """Ask on the terminal, without echo.

    :param stream: where the prompt goes; written to when the echo is off already.
    :raises Refused: there is no terminal.
    """
    if not has_terminal():
        raise Refused(
            _("a passphrase is needed, and there is no terminal to ask on"),
            hint=_("give --key-file FILE, or - for standard input"),
            ident="HIB-E-TTY",
        )
    keep_secrets()
    try:
        return getpass.getpass(prompt, stream)
    except EOFError as error:
        raise Refused(_("no passphrase was typed"), hint=_("type it, or give --key-file FILE"), ident=WRONG) from error


def refuse_weak(passphrase: str) -> None:
    """Refuse a new passphrase that nobody should use.

    :raises Refused: it is too short.
    """
    if len(passphrase) < MIN_LENGTH:
        hint = _("several words are easy to remember and hard to guess")
        raise Refused(
            _("the passphrase has less than {least} characters").format(least=MIN_LENGTH),
            hint=hint,
            ident="HIB-E-WEAK",
        )


def hard_to_type(passphrase: str) -> bool:
    """Return whether a passphrase has characters that the restoring kernel's keyboard may not have."""
    return not (passphrase.isascii() and passphrase.isprintable())


def new(key_file: str) -> str:
    """Get a new passphrase: from the file, or typed twice.

    :raises Refused: it is too short, or both are not the same.
    """
    if key_file:
        passphrase = from_file(key_file)
        refuse_weak(passphrase)
        return passphrase
    passphrase = ask(_("New passphrase: "))
    refuse_weak(passphrase)
    if ask(_("The same again: ")) != passphrase:
        raise Refused(_("the two passphrases are not the same"), hint=_("nothing was changed; try again"), ident=WRONG)
    return passphrase


def until_right(
    open_: Callable[[str], T], key_file: str, tries: int = TRIES, *, wait: Callable[[], None] | None = None,
    wrong: Callable[[KhibError, int], None] | None = None,
) -> T:  # fmt: skip
    """Ask until a secret opens something, or take the one in the file.

    :param wait: called each time when the echo is off and keys are taken.
    :param wrong: called with each wrong secret's error and the tries that are left; else it is printed.
    :raises Refused: none did (HIB-E-PASSPHRASE).
    """
    for left in range((1 if key_file else tries) - 1, -1, -1):
        typed = from_file(key_file) if key_file else ask(_(PROMPT), cast(TextIO, _Told(wait)) if wait else None)
        try:
            return open_(typed)
        except KhibError as error:
            if error.ident == WRONG:
                (wrong or _print_left)(error, left)
            if error.ident != WRONG or not left:
                raise refused(error) from None
    raise AssertionError("unreachable")


def _print_left(error: KhibError, left: int) -> None:
    if left:
        print(visible(f"{error.message}; {tries_left(left)}"), file=sys.stderr)


def tries_left(left: int) -> str:
    """Format how many tries there are."""
    return ngettext("{left} more try", "{left} more tries", left).format(left=left)


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


def refused(error: KhibError) -> KhibError:
    """Turn a wrong secret into a refusal: nothing was changed."""
    return Refused(error.message, hint=error.hint, ident=error.ident) if error.ident == WRONG else error


def result_or_wrong(open_: Callable[[], T]) -> T | ImageError:
    """Return what a secret opens, or the error that says it is wrong: whoever draws a screen asks again.

    :raises ImageError: something else is at fault.
    """
    try:
        return open_()
    except ImageError as error:
        if error.ident != WRONG:
            raise
        return error
