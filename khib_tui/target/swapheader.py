"""The first page of a swap: read, lent to an image and taken back by its signature alone, so UUID, label and size stay.

While it is lent no kernel swaps on it. blkid and udev go on to see UUID and label, so no start waits for them; and the swapon
of util-linux writes the signature of a swap by itself, which tells the restorer that the image is lost.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

from khib_tui.errors import ImageError, Refused
from khib_tui.facts.signatures import LENT, SWAPSPACE
from khib_tui.i18n import _
from khib_tui.image.store import Store
from khib_tui.model.units import PAGE

SIGNATURE = PAGE - len(SWAPSPACE)
# What is written while it is lent, in one sector: random bytes, so that an image of an earlier loan does not fit to this one;
# and what the kernel's own hibernation has there, without an image: whoever takes it for that puts the signature back.
_LAST_SECTOR = 512
_LENT = struct.Struct("<16s464xQI10s10s")
_BACK = bytes(_LAST_SECTOR - len(SWAPSPACE)) + SWAPSPACE
# Version, last page, how many bad pages (include/linux/swap.h).
_INFO, _INFO_AT = struct.Struct("<III"), 1024
KNOWN = (SWAPSPACE, LENT)


def read(path: Path) -> bytes:
    """Read the first page of a swap, from the medium.

    :param path: a device node or a file.
    :raises Refused: HIB-E-SWAP, it is none that could be lent.
    """
    with Store(path) as store:
        page = store.read(0, PAGE)
    version, last, bad = _INFO.unpack_from(page, _INFO_AT)
    if page[SIGNATURE:] not in KNOWN or version != 1 or not last:
        hint = _("choose another place; `mkswap` makes a swap of it")
        raise Refused(_("{path} is no swap").format(path=path), hint=hint, ident="HIB-E-SWAP")
    if bad:
        raise Refused(_("{path} has bad pages").format(path=path), hint=_("choose another place"), ident="HIB-E-SWAP")
    return page


def size(page: bytes) -> int:
    """Return the bytes of the swap, with its first page."""
    return (int(_INFO.unpack_from(page, _INFO_AT)[1]) + 1) * PAGE


def lent(page: bytes) -> bool:
    """Return whether it is lent to an image."""
    return page[SIGNATURE:] == LENT


def lend(path: Path) -> None:
    """Let nobody swap on it until it is taken back, durably; it must be off.

    :raises Refused: it is no swap.
    :raises ImageError: it is on still, or the medium does not give back what was written.
    """
    _end(path, _LENT.pack(os.urandom(16), 0, 0, SWAPSPACE, LENT))


def take_back(path: Path) -> None:
    """Make a swap of it again, durably; no image in it may be complete.

    :raises Refused: it is no swap.
    :raises ImageError: somebody uses it, or the medium does not give back what was written.
    """
    if lent(read(path)):
        _end(path, _BACK)


def _end(path: Path, data: bytes) -> None:
    """Write the last sector of the first page."""
    new = read(path)[:-_LAST_SECTOR] + data
    with Store(path, writable=True, exclusive=path.is_block_device()) as store:
        store.write(0, new)
        store.flush()
        if store.read(0, PAGE) != new:
            raise ImageError(
                _("{path} loses what is written to it").format(path=path), hint=_("use another medium"), ident="HIB-E-READBACK"
            )
