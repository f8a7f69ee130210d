"""How much of the disks may be read for prints: what an image says of places was written by others, and is read again."""

from __future__ import annotations

from collections.abc import Iterable

from khib_tui.i18n import _
from khib_tui.model.ranges import Spans
from khib_tui.model.units import size

IDENT = "HIB-E-SPOTS"
# Of all disks of a system together. An XFS with a large log takes 64 MiB, a swap 2048 places.
MOST_BYTES = 8 << 30
MOST_PLACES = 1 << 18


def excess(disks: Iterable[tuple[int, Spans]], part: int = 1) -> str:
    """Return what is too much or impossible of places on disks; '' if nothing is.

    :param disks: for each its size in bytes, and the places, in bytes from its start.
    :param part: only so large a part of the bounds may be used, for who does not know all disks yet.
    """
    total = places = 0
    for capacity, spots in disks:
        last = 0
        for start, end in spots:
            if not last <= start < end <= capacity:
                return _("a place {start:#x}-{end:#x} on a disk of {size}, behind {last:#x}").format(
                    start=start, end=end, size=size(capacity), last=last
                )
            last, total = end, total + end - start
        places += len(spots)
    if total > MOST_BYTES // part:
        return _("{size} of the disks are to be read, more than {most}").format(size=size(total), most=size(MOST_BYTES // part))
    most = MOST_PLACES // part
    return (
        _("{places} places of the disks are to be read, more than {most}").format(places=places, most=most)
        if places > most
        else ""
    )
