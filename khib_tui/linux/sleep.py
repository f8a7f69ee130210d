"""Sleep states of the firmware, and the clock that wakes from them (Documentation/admin-guide/pm/sleep-states.rst)."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from khib_tui.errors import Refused
from khib_tui.i18n import _

POWER = Path("/sys/power")
CLOCK = Path("/sys/class/rtc/rtc0")
SOON = 10
_SNAPSHOT = Path("/dev/snapshot")
_SNAPSHOT_PLATFORM_SUPPORT = 0x330F
_SNAPSHOT_POWER_OFF = 0x3310


def suspend(power: Path = POWER) -> None:
    """Suspend to RAM; by the firmware (S3) where that can be had. Returns when the machine is awake again.

    :raises OSError: it cannot sleep, or a device does not let it.
    """
    with suppress(OSError):
        (power / "mem_sleep").write_text("deep")
    (power / "state").write_text("mem")


def platform_off() -> None:
    """Enter ACPI S4 from user space (kernel/power/user.c). Returns if something woke the machine meanwhile.

    :raises OSError: this kernel or firmware has no S4.
    """
    fd = os.open(_SNAPSHOT, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(fd, _SNAPSHOT_PLATFORM_SUPPORT, 1)
        fcntl.ioctl(fd, _SNAPSHOT_POWER_OFF)
    finally:
        os.close(fd)


def clock_now(clock: Path = CLOCK) -> int:
    """Return what the clock that wakes the machine says, in its own seconds since 1970: local time, or the world's.

    :raises Refused: there is none.
    """
    try:
        (clock / "wakealarm").read_text()
        return int((clock / "since_epoch").read_text())
    except (OSError, ValueError) as error:
        raise Refused(
            _("this machine has no clock that can wake it"), hint=_("leave --wake out"), ident="HIB-E-WAKE"
        ) from error


def set_alarm(when: int, clock: Path = CLOCK) -> None:
    """Have the machine woken, or started; one for a time that has gone comes in a few seconds.

    :param when: in the clock's own seconds; 0 takes the alarm back.
    :raises OSError: the clock has no alarm.
    """
    place = clock / "wakealarm"
    place.write_text("0")
    if when:
        place.write_text(str(max(when, int((clock / "since_epoch").read_text()) + SOON)))
