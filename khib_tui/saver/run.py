"""The work of kernel B, in a process that may die of it: protect A's disks, save or rehearse, report to A."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Sequence

from khib_tui.decide.findings import refuse
from khib_tui.errors import Cancelled, FailedAfterChange, Refused
from khib_tui.events.progress import Stop, Work
from khib_tui.events.sinks import steady
from khib_tui.events.stages import in_saver
from khib_tui.events.types import Failure, Message, Sink, Stage, StageName, Status
from khib_tui.handover.handover import Handover, Mode
from khib_tui.handover.report import Outcome, Report
from khib_tui.i18n import N_, _
from khib_tui.image.header import Header
from khib_tui.image.watch import Watch, total
from khib_tui.jump import ownram
from khib_tui.model import identity
from khib_tui.model.identity import TargetRef
from khib_tui.model.machine import BlockDevice
from khib_tui.model.origin import DiskPrint
from khib_tui.model.ranges import Ranges
from khib_tui.model.text import clean
from khib_tui.model.units import size
from khib_tui.prints import bounds, take
from khib_tui.prints.compare import compare
from khib_tui.saver import room
from khib_tui.saver import save as saver
from khib_tui.saver.base import Base
from khib_tui.saver.fate import Fate
from khib_tui.target import guard
from khib_tui.target.place import networked, opened

Present = Callable[[str, Work[Header | None]], Header | None]
_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
LOST = "HIB-E-TARGET-LOST"
_LOST = (
    errno.EIO, errno.ENODEV, errno.ENXIO, errno.ETIMEDOUT, errno.ENOTCONN, errno.ECONNREFUSED, errno.ECONNRESET,
    errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EPIPE, errno.ESTALE, errno.EREMOTEIO,
)  # fmt: skip


_TITLES = {
    Mode.SAVE: N_("Hibernating"), Mode.REHEARSE: N_("Rehearsing the jump"), Mode.REHEARSE_SAVE: N_("Rehearsing a hibernation"),
}  # fmt: skip


def run(base: Base, present: Present) -> None:
    """Do what the hand-over says, and leave the report for A; whether A may run on is in `base.fate` then.

    :param present: draws the work on a screen or as lines.
    """
    handover = base.handover
    started = time.monotonic()
    watch = Watch()
    try:
        refuse_outside(base)
        base.prepare()
        room.refuse_shortage(Ranges.of(handover.region).total, watch.lowest, total(), handover.seal)
        with watch, networked(handover.target):
            header = present(_(_TITLES[handover.mode]), lambda sink, stop: work(base, steady(sink), stop, watch))
    except BaseException as error:
        base.report(room.noted(failure(error), watch))
        return
    if handover.mode is not Mode.SAVE:
        base.report(room.noted(rehearsed(handover, header, time.monotonic() - started), watch))


def refuse_outside(base: Base) -> None:
    """See that this kernel keeps to its region, before it does anything else.

    :raises KhibError: it does not; if A's memory is there, A must not run on.
    """
    try:
        ownram.refuse_outside(Ranges.of(base.handover.region), Ranges.of(base.handover.ram))
    except ownram.Overwritten:
        base.fate.set(Fate.OVERWRITTEN)
        raise


def work(base: Base, sink: Sink, stop: Stop, watch: Watch) -> Header | None:
    """Save, unless the mode is to come straight back; gives the header of what was saved."""
    handover = base.handover
    trip, saves = handover.mode is Mode.SAVE, handover.mode.saves
    sink(in_saver(saves=saves, verifies=handover.verify or (saves and not trip), returns=not trip))
    devices, target = find_disks(handover)
    guarded = guard.others(devices, target)
    guard.protect(guarded)
    sink(Message(_("{count} disks and partitions are write-protected").format(count=len(guarded))))
    if handover.mode is Mode.REHEARSE or handover.target is None:
        return None
    prints = prints_of(handover, devices, target)
    uname = os.uname()
    with opened(devices, handover.target, create=True) as store:
        sink(Stage(StageName.SAVE, Status.STARTED, _("to {target}").format(target=where(handover.target, target))))
        started = time.monotonic()
        header = saver.save(
            handover, base.entry, base.memory, store, prints, (uname.release, uname.version), sink, stop, base.fate,
        )  # fmt: skip
        sink(Stage(StageName.SAVE, Status.DONE, size(header.image_bytes), time.monotonic() - started))
        sink(Message(watch.words(N_("saver"))))
    return header


def where(target: TargetRef, device: BlockDevice | None) -> str:
    """Name the place of the image."""
    return str(target.remote) if target.remote else f"{device.path if device else ''}{target.path}"


def find_disks(handover: Handover) -> tuple[Sequence[BlockDevice], BlockDevice | None]:
    """Look for the target, and for all that A uses, until they are there.

    :raises KhibError: one of them does not appear.
    """
    wanted = [item.key for item in handover.used]
    both = [*wanted, *(handover.target.keys if handover.target else [])]
    devices = guard.settled(lambda devices: not take.absent(devices, dict.fromkeys(both)) and not take.absent(devices, wanted))
    target = identity.under(devices, handover.target) if handover.target else None
    if missing := take.absent(devices, wanted):
        names = ", ".join(f"{item.name} ({item.what})" for item in handover.used if item.key in missing)
        raise Refused(
            _("the saver does not find disks that the system uses: {names}").format(names=names), ident="HIB-E-SAVER-DISKS",
            hint=_("if they need a driver, see that the saver's kernel has it; else unmount them before"),
        )  # fmt: skip
    return devices, target


def prints_of(handover: Handover, devices: Sequence[BlockDevice], target: BlockDevice | None) -> tuple[DiskPrint, ...]:
    """Take the prints of A's disks, and see that they would be found equal to themselves.

    :raises Refused: one cannot be read, or they are so many that C would not read them.
    """
    prints = take.taken(devices, [target] if target else [], handover.used)
    if too_much := bounds.excess((item.size, item.spots) for item in prints):
        raise Refused(too_much, hint=_("unmount filesystems that are not needed meanwhile"), ident=bounds.IDENT)
    refuse(compare(prints, prints))
    return prints


def failure(error: BaseException) -> Report:
    """Return why A is back."""
    if isinstance(error, Cancelled):
        return Report(Outcome.CANCELLED, error.message, ident=error.ident)
    if isinstance(error, KeyboardInterrupt):
        return Report(Outcome.CANCELLED, _("the saver was interrupted"), ident="HIB-E-CANCELLED")
    if isinstance(error, OSError) and error.errno in _FULL:
        hint = _("end programs that use much memory, or choose a larger place for the image")
        return Report(Outcome.FAILED, _("the place of the image is full"), hint=hint, ident="HIB-E-TARGET-FULL")
    if lost := _lost(error):
        hint = _("see that it is connected and on; the image is not complete, and will never be resumed")
        text = _("the place of the image is lost: {lost}").format(lost=lost)
        return Report(Outcome.FAILED, text, hint=hint, ident=LOST)
    told = Failure.of(error)
    return Report(Outcome.FAILED, told.message, told.hint, told.ident)


def _lost(error: BaseException) -> str:
    """Return why a place takes nothing any more, not even word that the image is given up; '' if something else is wrong."""
    first = error.__cause__
    if not isinstance(error, FailedAfterChange) or not isinstance(first, OSError) or first.errno not in _LOST:
        return ""
    return clean(first.strerror or str(first))


def rehearsed(handover: Handover, header: Header | None, seconds: float) -> Report:
    """Return what was tried."""
    saved = Ranges.of(handover.saved).total
    if header is None:
        return Report(Outcome.REHEARSED, _("the jump and the way back work"))
    return Report(
        Outcome.REHEARSED, _("saving, verifying and the way back work"), image_id=header.image_id,
        image_bytes=header.image_bytes, memory_bytes=saved, save_seconds=seconds,
    )  # fmt: skip
