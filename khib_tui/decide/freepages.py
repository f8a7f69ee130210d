"""What may be done with A's free pages, decided in A."""

from __future__ import annotations

from khib_tui.handover.handover import FreePages
from khib_tui.model.machine import Machine


def policy(machine: Machine) -> FreePages:
    """Decide what A needs its free pages to hold.

    With init_on_free the allocator counts on zeros and does not clear again; with page_poison or debug_pagealloc it counts
    on a pattern. Where the kernel's configuration is unknown, zeros serve both cases.
    """
    if machine.page_poison:
        return FreePages.SAVE
    if machine.init_on_free or not machine.config:
        return FreePages.ZERO
    return FreePages.LEAVE_OUT
