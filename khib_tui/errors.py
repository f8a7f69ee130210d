"""Named failures. `cli` is the only module that turns them into exit codes."""

from __future__ import annotations

from enum import IntEnum
from typing import NoReturn


class Exit(IntEnum):
    """The exit codes of every `khib` command, as README documents them."""

    OK = 0
    ERROR = 1
    USAGE = 2
    CANCELLED = 3
    REFUSED = 4
    UNCHANGED = 5
    CHANGED = 6
    NO_IMAGE = 7


class KhibError(Exception):
    """Something the user has to know: what is wrong, why, and what to do next.

    :param message: one sentence, the cause.
    :param hint: the next step, as one sentence.
    :param ident: a stable identifier, `HIB-E-...`, for documents and tests.
    """

    exit_code = Exit.ERROR

    def __init__(self, message: str, *, hint: str | None = None, ident: str = "HIB-E-GENERAL") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.ident = ident


class UsageError(KhibError):
    """The command line or an answer makes no sense."""

    exit_code = Exit.USAGE


class Cancelled(KhibError):
    """The user asked to stop, and nothing was lost."""

    exit_code = Exit.CANCELLED


class Refused(KhibError):
    """A check says no; nothing was changed."""

    exit_code = Exit.REFUSED


class CommandFailed(KhibError):
    """A program or system call failed before anything changed."""

    exit_code = Exit.UNCHANGED


class FailedAfterChange(KhibError):
    """A step failed after earlier steps had changed something."""

    exit_code = Exit.CHANGED


class ImageError(KhibError):
    """There is no image, or it is not fit to be resumed."""

    exit_code = Exit.NO_IMAGE


def die(message: str, *, hint: str | None = None, ident: str = "HIB-E-GENERAL") -> NoReturn:
    """Stop with an error of the general kind.

    :raises KhibError: always.
    """
    raise KhibError(message, hint=hint, ident=ident)
