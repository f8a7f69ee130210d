"""The state of an image, kept so that a power cut at any point leaves a state that is true.

Two slots of one block, at 0 and 1 MiB. The valid slot with the highest generation counts. A new state is written to the
older slot, flushed, then to the other one, flushed: no slot with an older state stays behind, so no flipped bit can bring
back a state that permits a second resume. Behind the first slot stand `marks`; all else before the payload is zero.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from enum import StrEnum

import msgspec

from khib_tui.errors import ImageError
from khib_tui.i18n import N_, _
from khib_tui.image import marks
from khib_tui.image.store import BLOCK, Store
from khib_tui.model import jsontext
from khib_tui.model.ranges import Count
from khib_tui.model.text import clean
from khib_tui.model.units import MIB
from khib_tui.seal.keyslots import Seal

MAGIC = b"KHIBIMG1"
VERSION = 1
SLOTS = (0, MIB)
PAYLOAD_OFFSET = 2 * MIB
_GAPS = ((marks.OFFSET + BLOCK, MIB), (MIB + BLOCK, PAYLOAD_OFFSET))
_PREFIX = struct.Struct("<8sII32s")
DAMAGED = "HIB-E-HEADER-DAMAGED"
# Headers that are whole and yet say nothing that could be relied on: of a newer format, or contradicting each other.
UNCLEAR = ("HIB-E-VERSION", "HIB-E-HEADER")
UNKNOWN = "unknown"
CLEAR_HINT = N_("if nothing of it is needed, `khib image discard` clears them")
# Characters; a slot has room for them even if each takes six bytes.
_MOST_REASON = 200


class State(StrEnum):
    """What may be done with an image; only a complete one can be resumed."""

    PARTIAL = N_("partial")
    COMPLETE = N_("complete")
    CLAIMED = N_("claimed")
    DONE = N_("done")
    ABANDONED = N_("abandoned")


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One slot. Offsets and sizes are bytes in the store; digests are SHA-256 in hexadecimal.

    `created` is seconds since 1970; `host` and `release` are for listings only: the manifest is what counts. `seal` has
    the keyslots of a sealed image.
    """

    image_id: str
    state: State
    generation: Count
    created: float = 0.0
    host: str = ""
    release: str = ""
    ram_bytes: Count = 0
    image_bytes: Count = 0
    manifest_offset: Count = 0
    manifest_size: Count = 0
    manifest_digest: str = ""
    reason: str = ""
    seal: Seal | None = None


def pack(header: Header) -> bytes:
    """Make a slot: magic, version, length, SHA-256 of the body, body as JSON, zeros to the end of the block.

    :raises ImageError: it does not fit, which only a foreign header does.
    """
    body = msgspec.json.encode(header)
    if len(body) > BLOCK - _PREFIX.size:
        raise ImageError(_("the image's header has no room for its new state"), ident="HIB-E-HEADER")
    return (_PREFIX.pack(MAGIC, VERSION, len(body), hashlib.sha256(body).digest()) + body).ljust(BLOCK, b"\0")


def unpack(slot: bytes) -> Header | None:
    """Read a slot; None if it is not a whole one.

    :raises ImageError: it is one of a newer format.
    """
    magic, version, length, digest = _PREFIX.unpack_from(slot)
    if magic != MAGIC or length > BLOCK - _PREFIX.size:
        return None
    body = slot[_PREFIX.size : _PREFIX.size + length]
    if hashlib.sha256(body).digest() != digest or any(slot[_PREFIX.size + length :]):
        return None
    if version != VERSION:
        hint = _("use a newer khib; {clear}").format(clear=_(CLEAR_HINT))
        raise ImageError(_("the image has format {version}").format(version=version), hint=hint, ident="HIB-E-VERSION")
    try:
        return showable(jsontext.decode(body, Header))
    except msgspec.DecodeError:
        return None


def showable(header: Header) -> Header:
    """Return a header that others wrote with texts that may be shown, and are short enough to be written again."""
    return msgspec.structs.replace(
        header, image_id=clean(header.image_id, 64), host=clean(header.host, 64), release=clean(header.release, 64),
        reason=clean(header.reason, 512),
    )  # fmt: skip


def read_slots(store: Store) -> list[Header | None]:
    """Read both slots; one that lies beyond the end is None.

    :raises ImageError: they are of a newer format.
    """
    slots, newer = _slots(store)
    if newer and not any(slots):
        raise newer
    return slots


def _slots(store: Store) -> tuple[list[Header | None], ImageError | None]:
    slots: list[Header | None] = []
    newer: ImageError | None = None
    for offset in SLOTS:
        try:
            slots.append(unpack(store.read(offset, BLOCK)))
        except ImageError as error:
            if error.ident == "HIB-E-VERSION":
                newer = error
            elif error.ident != "HIB-E-TRUNCATED":
                raise
            slots.append(None)
    return slots, newer


def read(store: Store) -> Header | None:
    """Give the header that counts, or None where no image is.

    A complete image with a given-up mark is abandoned; a claim that only one slot has does not count.

    :raises ImageError: there are two of one generation that differ, which no writer of ours leaves.
    """
    valid = [slot for slot in read_slots(store) if slot]
    if len(valid) == 2 and valid[0].generation == valid[1].generation:
        raise ImageError(_("the image's two headers contradict each other"), hint=_(CLEAR_HINT), ident="HIB-E-HEADER")
    header = _claim_cut_short(valid) or max(valid, key=lambda header: header.generation, default=None)
    if header is None or header.state is not State.COMPLETE or not marks.given_up(marks.read(store), header.image_id):
        return header
    return msgspec.structs.replace(header, state=State.ABANDONED, reason=marks.REASON)


def _claim_cut_short(valid: Sequence[Header]) -> Header | None:
    """Return the header of an image that was about to be claimed when the power went: it is complete.

    Nobody jumps before both slots say `claimed`, so one that still says `complete` proves that nobody did. A slot that is
    damaged proves nothing.
    """
    if len(valid) < 2:
        return None
    before, after = sorted(valid, key=lambda header: header.generation)
    begun = msgspec.structs.replace(before, state=State.CLAIMED, generation=before.generation + 1)
    return msgspec.structs.replace(after, state=State.COMPLETE) if before.state is State.COMPLETE and after == begun else None


def read_or_given_up(store: Store) -> Header | None:
    """Read as `read` does; headers that cannot be understood count as an image that was given up, and say why."""
    try:
        return read(store)
    except ImageError as error:
        if error.ident not in UNCLEAR:
            raise
        return Header(UNKNOWN, State.ABANDONED, 0, reason=f"nobody can tell what it is: {error.message}")


def refuse_damage(store: Store) -> None:
    """Refuse an image that `mend` could make whole: a slot is damaged, or old, or something lies between the slots.

    :raises ImageError: naming the byte.
    """
    for offset in _damage(store):
        raise ImageError(
            _(
                "the image's header is damaged behind byte {offset}: by a power cut while it was written, or the medium fails"
            ).format(offset=offset),
            hint=_("`khib restore --repair` makes it whole from its second copy"),
            ident=DAMAGED,
        )


def _damage(store: Store) -> Iterator[int]:
    """Give the offsets of slots that are not whole, or not what the other one says, and of gaps that are not zero."""
    slots = read_slots(store)
    newest = max((slot.generation for slot in slots if slot), default=0)
    told = {msgspec.structs.replace(slot, generation=0) for slot in slots if slot}
    for offset, slot in zip(SLOTS, slots, strict=True):
        if slot is None or (len(told) > 1 and slot.generation < newest):
            yield offset
    if not marks.sound(marks.read(store)):
        yield marks.OFFSET
    for start, end in _GAPS:
        if store.read(start, end - start) != bytes(end - start):
            yield start


def mend(store: Store) -> None:
    """Write both slots anew from the one that counts, in the same state, and zeros between them; that it waits is kept.

    :raises ImageError: there is no valid slot.
    """
    header = read(store)
    if header is None:
        raise ImageError(_("{store} holds no image").format(store=store.path), ident="HIB-E-NO-IMAGE")
    waits, block = "", marks.read(store)
    if header.state is State.COMPLETE:
        waits = marks.resume_id(block)
        if not marks.sound(block):
            marks.clear(store)
    clear_gaps(store)
    advance(store, header, header.state, header.reason, waits)


def clear_gaps(store: Store) -> None:
    """Write zeros before the payload where neither slots nor marks are; not durable before the next flush."""
    for start, end in _GAPS:
        store.write(start, bytes(end - start))


def write(store: Store, header: Header) -> Header:
    """Put a state into both slots, older slot first, each durable before the next, and read it back.

    A slot that nobody understands counts as the oldest.

    :returns: the header as it now counts.
    :raises ImageError: the medium does not give back what was written.
    """
    slots, _blank = _slots(store)
    generations = [slot.generation if slot else 0 for slot in slots]
    newest = max(generations)
    order = (0, 1) if generations[0] <= generations[1] else (1, 0)
    for number, index in enumerate(order, 1):
        header = msgspec.structs.replace(header, generation=newest + number)
        packed = pack(header)
        store.write(SLOTS[index], packed)
        store.flush()
        if store.read(SLOTS[index], BLOCK) != packed:
            raise ImageError(
                _("{store} loses what is written to it").format(store=store.path),
                hint=_("use another medium"),
                ident="HIB-E-READBACK",
            )
    return header


def advance(store: Store, header: Header, state: State, reason: str = "", setup_id: str = "") -> Header:
    """Change the state of an image durably, and its marks: what boot loaders see is never more than the header says.

    :param setup_id: of the system in an image that becomes complete, '' to let no boot loader know.
    :raises ImageError: the medium does not give back what was written.
    """
    if state is not State.COMPLETE:
        marks.clear_resume(store)
    header = write(store, msgspec.structs.replace(header, state=state, reason=clean(reason, _MOST_REASON)))
    if state is not State.COMPLETE:
        marks.clear(store)
    elif setup_id:
        marks.set_resume(store, setup_id)
    return header
