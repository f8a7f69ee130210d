"""Making an image complete, and giving one up: the two deeds by which A's fate is decided."""

from __future__ import annotations

from khib_tui.errors import ImageError, KhibError
from khib_tui.i18n import N_, _
from khib_tui.image import header as headers
from khib_tui.image import marks
from khib_tui.image.header import Header, State
from khib_tui.image.store import Store
from khib_tui.saver.fate import Byte, Fate

WOKEN = N_("this system was woken in memory and went on")


def complete(store: Store, header: Header, fate: Byte, setup_id: str = "") -> Header:
    """Make an image complete: from here on A sleeps, unless the image is given up again.

    :param setup_id: of A, for its boot loader.

    :raises KhibError, OSError: it may be complete, or not: `settle` it.
    """
    fate.set(Fate.UNSETTLED)
    header = headers.advance(store, header, State.COMPLETE, setup_id=setup_id)
    fate.set(Fate.SLEEPS)
    return header


def settle(store: Store, header: Header, reason: str, fate: Byte) -> None:
    """Give an image up, durably, so that A may run on; if it is complete and cannot be given up, A sleeps.

    :raises KhibError, OSError: it could not be marked; `fate` is decided all the same, unless nobody can tell yet.
    """
    was = fate.now
    try:
        headers.advance(store, header, State.ABANDONED, reason)
    except BaseException:
        known = None if was is Fate.RUNS_ON else resumable(store, header.image_id)
        if known is not None:
            fate.set(Fate.SLEEPS if known else Fate.RUNS_ON)
        raise
    fate.set(Fate.RUNS_ON)


def resumable(store: Store, image_id: str) -> bool | None:
    """Tell whether either slot says that this image is complete; None if that cannot be told."""
    try:
        slots = headers.read_slots(store)
    except (KhibError, OSError, MemoryError):
        return None
    return any(slot and slot.image_id == image_id and slot.state is State.COMPLETE for slot in slots)


def woken(store: Store, image_id: str, fate: Byte) -> Header:
    """Give a complete image up whose A was kept in memory too, so that A may run on; gives what the header says then.

    What anybody else did to the image meanwhile may have been done to A's disks as well: then A sleeps on. If only one
    header can be written, that is enough for A to run on, as it outweighs the other.

    :raises KhibError, OSError: it is not given up, and `fate` is what it was; it may be tried again.
    """
    there = headers.read(store)
    ours = there is not None and there.image_id == image_id
    if there is None or not ours or not (there.state is State.COMPLETE or there.reason == WOKEN):
        raise ImageError(_("it is not what it was before this machine slept"), ident="HIB-E-WOKEN")
    try:
        return headers.advance(store, there, State.ABANDONED, WOKEN)
    finally:
        now = headers.read(store)
        if now is not None and (now.image_id, now.state, now.reason) == (image_id, State.ABANDONED, WOKEN):
            fate.set(Fate.RUNS_ON)


def settle_left(store: Store, image_id: str, reason: str, fate: Byte, setup_id: str = "") -> None:
    """Settle an image whose writer died: one that is complete in both slots stays, and A sleeps.

    :raises KhibError, OSError: it could not be marked; `fate` is decided all the same.
    """
    ours = [slot for slot in headers.read_slots(store) if slot and slot.image_id == image_id]
    if len(ours) == 2 and all(slot.state is State.COMPLETE for slot in ours):
        fate.set(Fate.SLEEPS)
        marks.set_resume(store, setup_id)
        return
    if not ours:
        fate.set(Fate.RUNS_ON)
        return
    settle(store, max(ours, key=lambda header: header.generation), reason, fate)
