"""How much memory B has: refused while A can still be gone back to, and watched for A to know."""

from __future__ import annotations

import msgspec

from khib_tui.decide.region import ALIGN
from khib_tui.errors import Refused
from khib_tui.handover.report import Report
from khib_tui.i18n import _
from khib_tui.image.threads import RESERVE
from khib_tui.image.watch import Watch, total
from khib_tui.model.limits import WORKER_MEMORY
from khib_tui.model.units import KIB, MIB, size
from khib_tui.seal.keyslots import Seal

# What saving takes with one thread, in bytes.
NEEDED = RESERVE + WORKER_MEMORY
# What C takes to open a sealed image beside the keyslot's own memory, beyond what B has loaded when it looks.
UNLOCKING = 12 * MIB


def refuse_shortage(region: int, free: int, of: int, seal: Seal | None = None) -> None:
    """Refuse to begin with too little memory: a kernel that runs out of it ends PID 1, and the session with it.

    C has as much as B, and could not open what it has no memory to open.

    :param region: bytes of the region.
    :param seal: what the image is going to be sealed with.
    :param free: bytes that can be had of the `of` bytes of this kernel.
    :raises Refused: naming them, and a region that is large enough.
    """
    opening = UNLOCKING + max(slot.memory for slot in seal.slots) * KIB if seal and seal.slots else 0
    needed = max(NEEDED, opening)
    if free >= needed:
        return
    larger = -(-(region + needed - free) // ALIGN) * ALIGN
    what = _("saving") if needed == NEEDED else _("opening the sealed image again")
    raise Refused(
        _("the saver has {free} of {total} of its memory free, and {what} takes at least {needed}").format(
            free=size(free), total=size(of), what=what, needed=size(needed)
        ),
        hint=_("give it a larger region: --region {larger}M").format(larger=larger // MIB),
        ident="HIB-E-SAVER-MEMORY",
    )


def noted(report: Report, watch: Watch) -> Report:
    """Return a report with the figures put in."""
    return msgspec.structs.replace(report, saver_memory=total(), saver_memory_free=watch.lowest)
