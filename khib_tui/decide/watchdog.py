"""Watchdogs across the jump: one that goes on counting restarts the machine while the image is written."""

from __future__ import annotations

from khib_tui.events.types import Finding, Severity
from khib_tui.i18n import _
from khib_tui.model.machine import Machine, Watchdog

# Two drivers stop theirs when devices are frozen (drivers/watchdog, 6.1 and 7.2); the third is a timer of A, which sleeps too.
HARMLESS = frozenset({"iTCO_wdt", "wdat_wdt", "Software Watchdog"})
_IDENT = "HIB-E-WATCHDOG"


def check_watchdogs(machine: Machine) -> list[Finding]:
    """Judge the running watchdogs: one finding for each that nobody will feed in the saver, or one `ok`."""
    counting = [dog for dog in machine.watchdogs if not {dog.driver, dog.identity} & HARMLESS]
    if not counting:
        return [Finding(_IDENT, Severity.OK, _("no watchdog restarts the machine while it saves"))]
    return [_finding(dog) for dog in counting]


def _finding(dog: Watchdog) -> Finding:
    what = _("{dog} ({name}) is running and waits {timeout} s").format(
        dog=dog.name, name=dog.identity or dog.driver or _("unknown"), timeout=dog.timeout
    )
    why = _(
        "nobody feeds it in the saver: it would restart the machine while the image is written, and the session would be lost"
    )
    stop = _("set RuntimeWatchdogSec=off in /etc/systemd/system.conf, or stop the program that feeds it")
    then = _("restart the machine: it cannot be stopped before") if dog.nowayout else _("run `systemctl daemon-reexec`")
    return Finding(_IDENT, Severity.BLOCKER, what, why, _("{stop}, then {then}").format(stop=stop, then=then))
