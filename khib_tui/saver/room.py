"""How much memory B has: refused while A can still be gone back to, and watched for A to know."""

from __future__ import annotations

import os
import threading
from types import TracebackType

import msgspec

from khib_tui.decide.region import ALIGN
from khib_tui.errors import Refused
from khib_tui.handover.report import Report
from khib_tui.image.threads import RESERVE, available
from khib_tui.model.limits import WORKER_MEMORY
from khib_tui.model.units import KIB, MIB, PAGE, size
from khib_tui.seal.keyslots import Seal

# What saving takes with one thread, in bytes.
NEEDED = RESERVE + WORKER_MEMORY
# What C takes to open a sealed image beside the keyslot's own memory, beyond what B has loaded when it looks.
UNLOCKING = 12 * MIB
_SECONDS = 0.2


def total() -> int:
    """Return the bytes of memory that this kernel has after its start."""
    return os.sysconf("SC_PHYS_PAGES") * PAGE


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
    what = "saving" if needed == NEEDED else "opening the sealed image again"
    raise Refused(
        f"the saver has {size(free)} of {size(of)} of its memory free, and {what} takes at least {size(needed)}",
        hint=f"give it a larger region: --region {larger // MIB}M", ident="HIB-E-SAVER-MEMORY",
    )  # fmt: skip


class Watch:
    """Looks for the least memory that can be had during a `with`, some times a second."""

    def __init__(self) -> None:
        self.lowest = available()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(_SECONDS):
            self.lowest = min(self.lowest, available())

    def noted(self, report: Report) -> Report:
        """Return a report with the figures put in."""
        return msgspec.structs.replace(report, saver_memory=total(), saver_memory_free=self.lowest)
