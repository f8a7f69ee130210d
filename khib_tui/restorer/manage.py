"""What a person may do in C with the images that are there, beside resuming: look into one, verify it, give it up.

What C does by itself needs none of this, so what it is made of is imported only when it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from khib_tui.errors import ImageError
from khib_tui.events.progress import Stop
from khib_tui.events.types import Sink
from khib_tui.i18n import N_, _
from khib_tui.image import header as headers
from khib_tui.image.header import State
from khib_tui.model.machine import BlockDevice
from khib_tui.model.units import size
from khib_tui.target import catalog
from khib_tui.target.catalog import Found
from khib_tui.target.place import opened


def info(devices: Sequence[BlockDevice], found: Found) -> dict[str, Any]:
    """Return what an image holds; of a sealed one that is not open, what its header says.

    :raises KhibError: it cannot be read.
    """
    with opened(devices, found.target, read_only=True) as store:
        return catalog.info(found, store, found.sealer)


def verify(devices: Sequence[BlockDevice], found: Found, sink: Sink, stop: Stop) -> str:
    """Check every byte of an image, and return what to tell.

    :raises ImageError: it is damaged, or was never finished.
    """
    from khib_tui.image import verify as verifying

    if not found.header.manifest_size:
        raise ImageError(
            _("the image on {where} is {state}: there is nothing to verify").format(where=found.where, state=found.header.state)
        )
    with opened(devices, found.target, read_only=True) as store:
        headers.refuse_damage(store)
        manifest = verifying.verify(store, found.header, sink, stop, found.sealer)
    return _("The image on {where} is sound: {size} of memory.").format(
        where=found.where, size=size(manifest.saved_ranges.total)
    )


def discard(devices: Sequence[BlockDevice], found: Found) -> None:
    """Give an image up, if it is the same still: nothing of it can be resumed then.

    :raises ImageError: another one is there now.
    """
    with opened(devices, found.target, read_only=False) as store:
        now = headers.read_or_given_up(store)
        if now is None or now.image_id != found.header.image_id:
            raise ImageError(
                _("there is another image on {where} now").format(where=found.where),
                hint=_("look again"),
                ident="HIB-E-IMAGE-CHANGED",
            )
        headers.advance(store, now, State.ABANDONED, N_("discarded by the user"))
