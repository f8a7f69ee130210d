"""What may be done with A's free pages, decided in A."""

from __future__ import annotations

from enum import StrEnum

from khib_tui.model.machine import Machine


class FreePages(StrEnum):
    """Free pages are left as they are found, made zero at the restore, or saved like all others."""

    LEAVE_OUT = "leave-out"
    ZERO = "zero"
    SAVE = "save"


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
