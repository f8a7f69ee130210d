"""What an image says about the machine it came from: all that must match before it may be resumed."""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from khib_tui.errors import ImageError
from khib_tui.i18n import N_, _
from khib_tui.image.codec import FRAME, Codec, seek_table
from khib_tui.image.header import Header
from khib_tui.image.store import BLOCK, Store
from khib_tui.model import jsontext
from khib_tui.model.machine import SignatureRule
from khib_tui.model.origin import DiskPrint, Origin
from khib_tui.model.ranges import Count, Ranges
from khib_tui.model.text import clean
from khib_tui.model.units import MIB
from khib_tui.prints import bounds

if TYPE_CHECKING:
    from khib_tui.seal.crypto import Sealer

MAX_SIZE = 16 * MIB
_PROCESSORS = 8192 + 1  # NR_CPUS_RANGE_END of x86-64


class WayBack(msgspec.Struct, frozen=True):
    """What the jump to A needs: entry (physical), A's GDT (virtual), and the report page with its cookie."""

    entry: Count
    gdt: int
    report_page: Count
    cookie: str


class Manifest(Origin, frozen=True, forbid_unknown_fields=True):
    """The manifest. Memory is in bytes; `saved` and `region` are spans of physical memory.

    `free_bytes` of `saved` are in no run of the payload; `zero_bytes` were found to be zero.
    `hardware_signature` and `acpi_tables` are the firmware's, empty if A could not read them, and in older images.
    `place` is the digest of the ranges of a disk that the image lies in (`ranges.digest`), empty if it has a place of its own.
    """

    saver_release: str
    saver_version: str
    way_back: WayBack
    disks: tuple[DiskPrint, ...]
    codec: Codec
    payload_offset: Count
    payload_size: Count
    raw_size: Count
    frames: Count
    index_offset: Count
    index_size: Count
    index_digest: str
    save_seconds: float
    free_bytes: Count
    zero_bytes: Count
    hardware_signature: str = ""
    signature_rule: SignatureRule = SignatureRule.WARN
    acpi_tables: str = ""
    place: str = ""

    @property
    def saved_ranges(self) -> Ranges:
        """The memory that the image holds."""
        return Ranges.of(self.saved)

    @property
    def region_ranges(self) -> Ranges:
        """The memory that C must stay in."""
        return Ranges.of(self.region)


class Frame(NamedTuple):
    """One frame of the payload: where it lies, its sizes, and the XXH64 of its stored bytes."""

    offset: int
    stored: int
    raw: int
    digest: bytes


_ENTRY = struct.Struct("<QII8s")


def pack_index(frames: list[Frame]) -> bytes:
    """Make the index of all frames."""
    return b"".join(_ENTRY.pack(*frame) for frame in frames)


def unpack_index(data: bytes) -> list[Frame]:
    """Read the index back; its digest was right."""
    return [Frame(*fields) for fields in _ENTRY.iter_unpack(data)]


def digest(data: bytes) -> str:
    """Return the SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def read(store: Store, header: Header, sealer: Sealer | None = None) -> Manifest:
    """Read the manifest that a header names.

    :param sealer: opens it; needed for a sealed image, and refuses one that is not.
    :raises ImageError: it is not what the header says, or it is sealed and cannot be opened.
    """
    if header.seal and sealer is None:
        raise ImageError(_("the image is sealed"), hint=_("its passphrase or recovery key opens it"), ident="HIB-E-SEALED")
    if not 0 < header.manifest_size <= MAX_SIZE:
        raise ImageError(
            _("the image claims a manifest of {manifest_size} bytes").format(manifest_size=header.manifest_size),
            ident="HIB-E-MANIFEST",
        )
    data = _padded(store, header.manifest_offset, header.manifest_size)
    if digest(data) != header.manifest_digest:
        raise ImageError(_("the image's manifest is damaged"), hint=_(DISCARD_HINT), ident="HIB-E-MANIFEST")
    if sealer:
        data = sealer.open_manifest(data)
    manifest = parse(data)
    if manifest.image_id != header.image_id:
        raise ImageError(_("header and manifest belong to different images"), ident="HIB-E-MANIFEST")
    return manifest


def parse(data: bytes) -> Manifest:
    """Return what a manifest's bytes say, with names that may be shown.

    :raises ImageError: it is none, or says what no machine has.
    """
    try:
        manifest = jsontext.decode(data, Manifest)
        bytes.fromhex(manifest.way_back.cookie)
    except (msgspec.DecodeError, ValueError) as error:
        raise ImageError(
            _("the image's manifest is not readable: {error}").format(error=error), ident="HIB-E-MANIFEST"
        ) from error
    limits = [(manifest.way_back.gdt, 1 << 64), (manifest.cpu.count, _PROCESSORS)]
    limits += [(edge, (1 << 64) + 1) for part in manifest.firmware_memmap for edge in (part.start, part.end)]
    if not all(0 <= value < limit for value, limit in limits):
        raise ImageError(_("the image's manifest says what cannot be"), ident="HIB-E-MANIFEST")
    if too_much := bounds.excess((disk.size, disk.spots) for disk in manifest.disks):
        raise ImageError(
            _("the image's manifest is not to be believed: {too_much}").format(too_much=too_much),
            hint=_(DISCARD_HINT),
            ident=bounds.IDENT,
        )
    return _showable(manifest)


def _showable(manifest: Manifest) -> Manifest:
    """Clean the names; those of an honest image are as they were, for they were clean when it was saved."""
    replace = msgspec.structs.replace
    disks = [
        replace(disk, name=clean(disk.name), serial=clean(disk.serial), label=clean(disk.label), what=clean(disk.what, 256))
        for disk in manifest.disks
    ]
    return replace(
        manifest, host=clean(manifest.host), release=clean(manifest.release), version=clean(manifest.version, 256),
        saver_release=clean(manifest.saver_release), saver_version=clean(manifest.saver_version, 256),
        cpu=replace(manifest.cpu, vendor=clean(manifest.cpu.vendor), model=clean(manifest.cpu.model)), disks=tuple(disks),
        hardware_signature=clean(manifest.hardware_signature, 16),
    )  # fmt: skip


def read_index(store: Store, manifest: Manifest) -> list[Frame]:
    """Read the index of a manifest's frames, and check that they lie inside the payload.

    :raises ImageError: it is damaged.
    """
    if manifest.index_size != manifest.frames * _ENTRY.size or manifest.index_size > 64 * MIB:
        raise ImageError(_("the image's index has the wrong size"), ident="HIB-E-INDEX")
    data = _padded(store, manifest.index_offset, manifest.index_size)
    if digest(data) != manifest.index_digest:
        raise ImageError(_("the image's index is damaged"), hint=_(DISCARD_HINT), ident="HIB-E-INDEX")
    frames = unpack_index(data)
    end = manifest.payload_offset + manifest.payload_size
    position = manifest.payload_offset
    for number, frame in enumerate(frames, 1):
        whole = frame.raw == FRAME or (number == len(frames) and 0 < frame.raw < FRAME)
        if not whole or frame.offset != position or frame.offset + frame.stored > end:
            raise ImageError(_("the image's index has an impossible frame"), ident="HIB-E-INDEX")
        position += frame.stored
    if sum(frame.raw for frame in frames) != manifest.raw_size:
        raise ImageError(_("the image's index does not add up"), ident="HIB-E-INDEX")
    _refuse_stray(store, manifest, frames, position)
    return frames


def _padded(store: Store, offset: int, count: int) -> bytes:
    """Read bytes that zeros must follow to the end of their block.

    :raises ImageError: something else does.
    """
    data = store.read(offset, -(-count // BLOCK) * BLOCK)
    if any(data[count:]):
        raise ImageError(
            _("the image is damaged behind byte {offset}").format(offset=offset + count),
            hint=_(DISCARD_HINT),
            ident="HIB-E-DAMAGED",
        )
    return data[:count]


def _refuse_stray(store: Store, manifest: Manifest, frames: list[Frame], position: int) -> None:
    """Refuse anything behind the last frame but its seek table and zeros.

    :raises ImageError: there is.
    """
    room = manifest.index_offset - position
    table = seek_table((frame.stored, frame.raw) for frame in frames)
    tail = table if manifest.payload_offset + manifest.payload_size > position else b""
    if not len(tail) <= room < len(tail) + BLOCK or store.read(position, room) != tail.ljust(room, b"\0"):
        raise ImageError(
            _("the image is damaged behind byte {position}").format(position=position),
            hint=_(DISCARD_HINT),
            ident="HIB-E-DAMAGED",
        )


DISCARD_HINT = N_("the medium may be failing; `khib image discard` gives the image up")
