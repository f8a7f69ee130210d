"""What B's PID 1 has done by children of its own, when the one that saves has ended."""

from __future__ import annotations

from khib_tui.handover import handover
from khib_tui.handover.report import Outcome, Report
from khib_tui.i18n import N_, _
from khib_tui.prints import take
from khib_tui.saver.base import found
from khib_tui.saver.fate import Byte
from khib_tui.saver.settle import settle_left
from khib_tui.target import guard
from khib_tui.target.place import networked, opened

_HINT = N_("try again; if it happens again, give it a larger region with --region")


def settle(fate: Byte, reason: str) -> None:
    """Look what became of an image whose writer died while it became complete, and give it up if that can be done.

    :raises KhibError, OSError: nobody can tell; A's fate stays open, which means that it sleeps.
    """
    given = handover.receive()
    assert given.target is not None
    keys = given.target.keys
    devices = guard.settled(lambda devices: not take.absent(devices, keys))
    with networked(given.target), opened(devices, given.target) as store:
        settle_left(store, given.image_id, reason, fate, given.setup_id)


def report(fate: Byte, reason: str) -> None:
    """Leave a report for A, unless there is one."""
    told = Report(Outcome.FAILED, _("the saver did not finish: {reason}").format(reason=reason), _(_HINT), "HIB-E-SAVER-DIED")
    found(handover.receive(), fate).report_if_none(told)


def load(fate: Byte) -> None:
    """Load the way back.

    :raises KhibError: the kernel refuses it.
    """
    found(handover.receive(), fate).load()
