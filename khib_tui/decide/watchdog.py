"""Watchdogs across the jump: one that goes on counting restarts the machine while the image is written."""

from __future__ import annotations

from khib_tui.events.types import Finding, Severity
from khib_tui.model.machine import Machine, Watchdog

# Two drivers stop theirs when devices are frozen (drivers/watchdog, 6.1 and 7.2); the third is a timer of A, which sleeps too.
HARMLESS = frozenset({"iTCO_wdt", "wdat_wdt", "Software Watchdog"})
_IDENT = "HIB-E-WATCHDOG"


def check_watchdogs(machine: Machine) -> list[Finding]:
    """Judge the running watchdogs: one finding for each that nobody will feed in the saver, or one `ok`."""
    counting = [dog for dog in machine.watchdogs if not {dog.driver, dog.identity} & HARMLESS]
    if not counting:
        return [Finding(_IDENT, Severity.OK, "no watchdog restarts the machine while it saves")]
    return [_finding(dog) for dog in counting]


def _finding(dog: Watchdog) -> Finding:
    what = f"{dog.name} ({dog.identity or dog.driver or 'unknown'}) is running and waits {dog.timeout} s"
    why = "nobody feeds it in the saver: it would restart the machine while the image is written, and the session would be lost"
    stop = "set RuntimeWatchdogSec=off in /etc/systemd/system.conf, or stop the program that feeds it"
    then = "restart the machine: it cannot be stopped before" if dog.nowayout else "run `systemctl daemon-reexec`"
    return Finding(_IDENT, Severity.BLOCKER, what, why, f"{stop}, then {then}")
