"""Signals that end this process: each of them becomes an exception, so that nothing is left loaded or half done.

Python raises in the main thread only. Work in another thread asks between its steps.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from khib_tui.i18n import _

# What stops, continues or tells something, and what the process itself did wrong.
_OTHERS = {
    "SIGKILL", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGCONT", "SIGCHLD", "SIGURG", "SIGWINCH", "SIGPIPE", "SIGXFSZ",
    "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP", "SIGSYS", "SIGABRT",
}  # fmt: skip
ENDING = frozenset(number for number in signal.valid_signals() if getattr(number, "name", "") not in _OTHERS)
# Seconds in which a further signal is the same wish: a service's end and a closed terminal send two.
_SAME = 1.0


class Ended(KeyboardInterrupt):
    """A signal asked this process to end; `number` is which."""

    def __init__(self, number: int) -> None:
        super().__init__(_("ended by {name}").format(name=name_of(number)))
        self.number = number


class _Asked:
    """Which signal asked last, and when; 0 for none."""

    number = 0
    when = 0.0


def name_of(number: int) -> str:
    """Return what users call a signal."""
    if number == signal.SIGINT:
        return _("Ctrl-C")
    with suppress(ValueError):
        return signal.Signals(number).name
    return _("signal {number}").format(number=number)


@contextmanager
def armed() -> Iterator[None]:
    """Raise `Ended` for each signal that would end this process; one that is ignored stays ignored (nohup)."""
    _Asked.number = 0
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = (signal.SIG_DFL, signal.default_int_handler)
    before = {number: handler for number in ENDING if (handler := signal.getsignal(number)) in usual}
    try:
        for number in before:
            signal.signal(number, _end)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _Asked.number = 0


def _end(number: int, _: FrameType | None) -> None:
    now = time.monotonic()
    repeated = _Asked.number and now - _Asked.when < _SAME
    _Asked.number, _Asked.when = _Asked.number if repeated else number, now
    if not repeated:
        raise Ended(number)


def heed() -> None:
    """Stop here if a signal has asked for it, in whatever thread this is.

    :raises Ended: one has.
    """
    if _Asked.number:
        raise Ended(_Asked.number)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keep all those signals from what undoes the work that the first one stopped."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
