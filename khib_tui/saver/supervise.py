"""What PID 1 of B does: children do all the work, and A is brought back whatever ends them.

It holds no more than two bytes: whether A may run on, and whether A was told why. The way back is loaded into the kernel
before the work begins, so that going it takes one system call and no memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from khib_tui.i18n import N_, _
from khib_tui.linux.child import apart, said
from khib_tui.linux.syscalls import REBOOT_KEXEC, REBOOT_POWER_OFF, reboot
from khib_tui.saver.fate import Byte, Fate

LOADED = Path("/sys/kernel/kexec_loaded")
_TRIES = 3
# So often, each time after a wait for the place itself: half an hour or more. Then A sleeps.
_LOOKS, _PAUSE = 60, 10.0
_ASK = N_("khib: whether the image is complete stands on its place, which cannot be reached: connect it again. I go on trying.")


def supervise(fate: Byte, work: Callable[[], None]) -> str:
    """Have the work done. Ends in A or in power-off; returns only if A cannot be reached, with the reason.

    :param work: loads the way back, saves, leaves the report for A, and decides A's fate.
    """
    ended = _child(work)
    settle(fate, ended)
    if fate.now is Fate.OVERWRITTEN:
        return _("it may have been written over")
    if fate.now is not Fate.RUNS_ON:
        leave_machine(fate)
    if not fate.told:
        _child(lambda: _deeds("report", fate, ended))
    return go_back(fate)


def settle(fate: Byte, ended: str) -> None:
    """Find out what became of an image of which nobody knows whether it is complete; its place may be gone for a while."""
    for _look in range(_LOOKS):
        if fate.now is not Fate.UNSETTLED:
            return
        _child(lambda: _deeds("settle", fate, ended))
        if fate.now is Fate.UNSETTLED:
            print(f"\r\n{_(_ASK)}\r", flush=True)
            time.sleep(_PAUSE)


def _child(work: Callable[[], None]) -> str:
    """Do something in a child, and say how it ended."""
    try:
        return said(apart(work))
    except Exception as error:
        return _("it could not be started: {error}").format(error=error)


def _deeds(name: str, fate: Byte, *told: str) -> None:
    """Do one of the deeds, in a child: it needs much that PID 1 has not."""
    from khib_tui.saver import deeds

    getattr(deeds, name)(fate, *told)


def _leave(fate: Byte) -> None:
    """Leave the machine, in a child."""
    from khib_tui.saver import leave

    leave.leave_machine(fate)


def go_back(fate: Byte) -> str:
    """Jump to A. Returns only if that is impossible, with the reason."""
    reason = _("the jump could not be loaded")
    for _turn in range(_TRIES):
        if not loaded():
            _child(lambda: _deeds("load", fate))
        try:
            reboot(REBOOT_KEXEC)
        except Exception as error:
            reason = str(error)
    return reason


def loaded() -> bool:
    """Tell whether the jump is loaded."""
    try:
        return LOADED.read_bytes().strip() == b"1"
    except (OSError, MemoryError):
        return False


def leave_machine(fate: Byte) -> None:
    """Power off, or as the user chose. The image may be complete: A must not run on, unless a woken machine gave it up."""
    _child(lambda: _leave(fate))
    while fate.now is not Fate.RUNS_ON:
        with suppress(Exception):
            reboot(REBOOT_POWER_OFF)
        with suppress(Exception):
            print(_("\r\nThe image is complete. Switch the machine off now.\r\n"), flush=True)
        time.sleep(3600)
