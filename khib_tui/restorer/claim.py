"""Marking an image as used before the jump, and taking that back: only a jump that happened leaves an image claimed.

Before the claim C notes in its own memory what it is going to claim. While that note is there, the kernel that wrote it
still runs: it has not jumped, and whoever finds the note takes the claim back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from khib_tui.errors import FailedAfterChange
from khib_tui.events.types import Failure
from khib_tui.facts import blockdev
from khib_tui.i18n import _
from khib_tui.image import header as headers
from khib_tui.image import marks
from khib_tui.image.header import Header, State
from khib_tui.image.store import Store
from khib_tui.model.identity import TargetRef
from khib_tui.model.machine import BlockDevice
from khib_tui.target.catalog import refuse_state
from khib_tui.target.place import opened

PLACE = Path("/run/khib/claim.json")


class Note(msgspec.Struct, frozen=True):
    """Which image is claimed, or is about to be; `setup_id` is what the boot loader knew of it before."""

    target: TargetRef
    image_id: str
    setup_id: str = ""


def claim(store: Store, target: TargetRef, image_id: str) -> Header:
    """Mark an image as used, durably, as the last act before the jump.

    :raises ImageError: it is another one now, or must not be resumed.
    :raises KhibError, OSError: it may be marked, or not: `take_back`.
    """
    header = headers.read(store)
    if header is None or header.image_id != image_id:
        raise FailedAfterChange(_("there is another image now"), ident="HIB-E-IMAGE-CHANGED")
    refuse_state(header)
    headers.refuse_damage(store)
    PLACE.parent.mkdir(parents=True, exist_ok=True)
    PLACE.write_bytes(msgspec.json.encode(Note(target, image_id, marks.resume_id(marks.read(store)))))
    return headers.advance(store, header, State.CLAIMED)


def noted() -> Note | None:
    """Read the note; None if there is none, or it is only half written: then nothing was claimed yet."""
    try:
        return msgspec.json.decode(PLACE.read_bytes(), type=Note)
    except (OSError, msgspec.DecodeError):
        return None


def take_back(devices: Sequence[BlockDevice]) -> bool:
    """Make an image resumable again that this kernel has claimed, if it has; return whether it had.

    :raises KhibError, OSError: the medium cannot be read or written; the note stays, for the next try.
    """
    note = noted()
    if note is None:
        return False
    with opened(devices, note.target) as store:
        ours = [slot for slot in headers.read_slots(store) if slot and slot.image_id == note.image_id]
        claimed = [slot for slot in ours if slot.state is State.CLAIMED]
        if claimed:
            newest = max(claimed, key=lambda header: header.generation)
            headers.advance(store, newest, State.COMPLETE, setup_id=note.setup_id)
        elif any(slot.state is State.COMPLETE for slot in ours):
            marks.set_resume(store, note.setup_id)
    PLACE.unlink()
    return bool(claimed)


def take_back_left() -> None:
    """Take back what an earlier try in this kernel left, if that can be done now."""
    with suppress(Exception):
        if noted() is not None:
            take_back(blockdev.devices())


@contextmanager
def taken_back(devices: Sequence[BlockDevice]) -> Iterator[None]:
    """Take the claim back, whatever is raised inside, and raise it again.

    :raises FailedAfterChange: it cannot be taken back now.
    """
    try:
        yield
    except BaseException as error:
        try:
            take_back(devices)
        except Exception as second:
            raise FailedAfterChange(
                _("{message}; and the image could not be made resumable again: {reason}").format(
                    message=Failure.of(error).message, reason=Failure.of(second).message
                ),
                hint=_("`khib restore` tries that again, as long as this kernel runs"),
                ident="HIB-E-CLAIM",
            ) from error
        raise
