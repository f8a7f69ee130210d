"""Leaving the machine when the image is complete: off, restarted, in S4, or asleep with A's memory kept (hybrid).

Who wakes a hybrid machine goes straight back to A. That is only done once the image is given up, durably: until then A sleeps,
whatever happens, and a machine that loses its power resumes from the image.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from khib_tui.errors import KhibError
from khib_tui.handover import handover
from khib_tui.handover.handover import Handover
from khib_tui.handover.report import Outcome, Report
from khib_tui.i18n import _
from khib_tui.image import header as headers
from khib_tui.linux import sleep
from khib_tui.linux.syscalls import REBOOT_POWER_OFF, REBOOT_RESTART, reboot
from khib_tui.model.choices import After
from khib_tui.model.ranges import Ranges
from khib_tui.prints import take
from khib_tui.saver.base import found
from khib_tui.saver.fate import Byte, Fate
from khib_tui.saver.settle import woken
from khib_tui.target import guard
from khib_tui.target.place import networked, opened

_TRIES = 3
_PAUSE = 1.0


def leave_machine(fate: Byte) -> None:
    """Leave it as the user chose. Returns where it could not be left, and where it woke and A may run on: see `fate`."""
    given = handover.receive()
    if given.wake:
        _told(lambda: sleep.set_alarm(given.wake), _("the alarm cannot be set"))
    if given.after is After.HYBRID and _told(sleep.suspend, _("the machine cannot sleep")):
        wake(given, fate)
        if fate.now is Fate.RUNS_ON:
            return
    if given.after is After.PLATFORM:
        _told(sleep.platform_off, _("there is no ACPI S4"))
    with suppress(KhibError):
        reboot(REBOOT_RESTART if given.after is After.REBOOT else REBOOT_POWER_OFF)


def _told(deed: Callable[[], None], what: str) -> bool:
    """Do something that may fail; tell the console if it does."""
    try:
        deed()
    except OSError as error:
        print(_("\r\nkhib: {what}: {error}\r\n").format(what=what, error=error), flush=True)
        return False
    return True


def wake(given: Handover, fate: Byte) -> None:
    """Give the image up, and leave word for A. If that fails, A goes on sleeping in it."""
    for _turn in range(_TRIES):
        try:
            header = _give_up(given, fate)
        except (KhibError, OSError) as error:
            print("\r\n" + _("khib: the image cannot be given up: {error}").format(error=error) + "\r\n", flush=True)
            time.sleep(_PAUSE)
            continue
        _report(given, fate, header)
        return


def _give_up(given: Handover, fate: Byte) -> headers.Header:
    assert given.target is not None
    keys = given.target.keys
    devices = guard.settled(lambda devices: not take.absent(devices, keys))
    with networked(given.target), opened(devices, given.target) as store:
        return woken(store, given.image_id, fate)


def _report(given: Handover, fate: Byte, header: headers.Header) -> None:
    """Leave word; without it A says that it has none."""
    told = Report(
        Outcome.WOKEN, _("woken from memory, the image was given up"), image_id=given.image_id,
        image_bytes=header.image_bytes, memory_bytes=Ranges.of(given.saved).total,
    )  # fmt: skip
    with suppress(KhibError, OSError):
        if given.wake:
            sleep.set_alarm(0)
    with suppress(KhibError, OSError):
        found(given, fate).report(told)
