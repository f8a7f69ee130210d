"""An image in ranges of a device: where a file of A's own filesystem lies, past all that lies above the device.

The first bytes of the first range hold the map, which tells the others; the image follows it through all of them. So the
first range alone leads to the whole image.
"""

from __future__ import annotations

import hashlib
import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path

from khib_tui.errors import ImageError
from khib_tui.i18n import _
from khib_tui.image.store import BLOCK, Store
from khib_tui.model.ranges import Spans
from khib_tui.model.units import KIB, MIB

MAP_SIZE = 64 * KIB
"""Bytes of the first range that are the map's."""
LEAST_FIRST = 4 * MIB
"""Bytes that the first range must have: the map, both headers and what lies between them."""
SECTOR = 512
_MAGIC = b"KHIBMAP1"
_PREFIX = struct.Struct("<8sI4x32s")
_SPAN = struct.Struct("<QQ")
MOST = (MAP_SIZE - _PREFIX.size) // _SPAN.size
"""How many ranges a map has room for."""


def pack(spans: Spans) -> bytes:
    """Make the map: magic, count, SHA-256 of the rest, then first byte and end of each range; zeros to MAP_SIZE bytes."""
    body = b"".join(_SPAN.pack(*span) for span in spans)
    return (_PREFIX.pack(_MAGIC, len(spans), hashlib.sha256(body).digest()) + body).ljust(MAP_SIZE, b"\0")


def is_map(data: bytes) -> bool:
    """Return whether something begins as a map does."""
    return data.startswith(_MAGIC)


def unpack(data: bytes) -> Spans:
    """Read a map.

    :raises ImageError: HIB-E-MAP, it is none, or damaged.
    """
    magic, count, digest = _PREFIX.unpack_from(data)
    body = data[_PREFIX.size : _PREFIX.size + min(count, MOST) * _SPAN.size]
    if magic != _MAGIC or count > MOST or hashlib.sha256(body).digest() != digest:
        raise ImageError(_("there is no map of an image's ranges"), hint=_("boot normally"), ident="HIB-E-MAP")
    spans = tuple(_SPAN.iter_unpack(body))
    refuse_unsound(spans)
    return spans


def refuse_unsound(spans: Sequence[tuple[int, int]]) -> None:
    """Refuse ranges that overlap, are not whole blocks, or begin with a small one.

    :raises ImageError: HIB-E-MAP.
    """
    ordered = sorted(spans)
    apart = all(end <= after for (_, end), (after, _) in pairwise(ordered))
    whole = all(start >= 0 and start % SECTOR == 0 and end > start and (end - start) % BLOCK == 0 for start, end in spans)
    if not spans or len(spans) > MOST or not apart or not whole or spans[0][1] - spans[0][0] < LEAST_FIRST:
        raise ImageError(
            _("these {count} ranges of a disk cannot take an image").format(count=len(spans)), ident="HIB-E-MAP",
            hint=_("remove the file and set up again, with more free room on its filesystem"),
        )  # fmt: skip


def first_sector(spans: Spans) -> int:
    """Return the sector of the device where the image begins, behind its map; 0 without ranges."""
    return (spans[0][0] + MAP_SIZE) // SECTOR if spans else 0


def digest(spans: Spans) -> str:
    """Return what a manifest says of the ranges that its image lies in: SHA-256, in hexadecimal; '' of none."""
    return hashlib.sha256(b"".join(_SPAN.pack(*span) for span in spans)).hexdigest() if spans else ""


class Ranged(Store):
    """A store in ranges of a device; nothing outside of them is ever written.

    :param spans: bytes of the device, `[start, end)`, in the order in which the image lies in them.
    :raises ImageError: HIB-E-MAP, they are unsound, or the device cannot be opened.
    """

    def __init__(self, path: Path, spans: Spans, *, writable: bool = False, exclusive: bool = False) -> None:
        refuse_unsound(spans)
        self.spans = spans
        first = (spans[0][0] + MAP_SIZE, spans[0][1])
        self.places = (first, *spans[1:])
        self.ends = list(accumulate(end - start for start, end in self.places))
        super().__init__(path, writable=writable, exclusive=exclusive)

    @property
    def capacity(self) -> int:
        """Bytes that the ranges hold."""
        return self.ends[-1]

    @property
    def room(self) -> int:
        """Bytes it could hold: ranges do not grow."""
        return self.capacity

    def pieces(self, offset: int, count: int) -> Iterator[tuple[int, int]]:
        """Yield where bytes of the image lie, `(place, count)`, as far as there is room for them."""
        end = min(offset + count, self.capacity)
        index = bisect_right(self.ends, offset)
        while offset < end:
            start, stop = self.places[index]
            base = self.ends[index] - (stop - start)
            take = min(end, self.ends[index]) - offset
            place = start + offset - base
            assert start <= place and place + take <= stop
            yield place, take
            offset, index = offset + take, index + 1

    def write_map(self) -> None:
        """Write the map in front of the image, durably.

        :raises ImageError: the medium does not give back what was written.
        """
        whole = Whole(self)
        packed = pack(self.spans)
        whole.write(0, packed)
        whole.flush()
        if whole.read(0, MAP_SIZE) != packed:
            raise ImageError(
                _("{path} loses what is written to it").format(path=self.path),
                hint=_("use another medium"),
                ident="HIB-E-READBACK",
            )


class Whole(Store):
    """The map's own bytes, through the device that a ranged store has open."""

    def __init__(self, store: Ranged) -> None:
        self.path, self.root, self.fd, self.direct = store.path, None, store.fd, store.direct
        self.local, self.start = store.local, store.spans[0][0]

    def pieces(self, offset: int, count: int) -> Iterator[tuple[int, int]]:
        """Yield where bytes of the map lie."""
        if offset < MAP_SIZE:
            yield self.start + offset, min(count, MAP_SIZE - offset)


def found_at(path: Path, first: int) -> Spans:
    """Read the ranges of the image whose first range begins at a byte of a device.

    :raises ImageError: HIB-E-MAP, there is none.
    """
    with Ranged(path, ((first, first + LEAST_FIRST),)) as store:
        spans = unpack(Whole(store).read(0, MAP_SIZE))
    if spans[0][0] != first:
        raise ImageError(_("the map of an image's ranges is of another place"), hint=_("boot normally"), ident="HIB-E-MAP")
    return spans
