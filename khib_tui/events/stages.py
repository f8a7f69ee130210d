"""All stages of a journey, over the three kernels: each of them tells where it is in the same list."""

from __future__ import annotations

from khib_tui.events.types import StageName, Stages

SAVING = (StageName.SCAN, StageName.SAVE)


def in_saver(*, saves: bool, verifies: bool, returns: bool) -> Stages:
    """Return the list as the saver begins: this system has loaded it.

    :param saves: whether an image is written.
    :param verifies: whether it is read back.
    :param returns: whether the saver goes straight back, as in a rehearsal.
    """
    own = [*(SAVING if saves else ()), *([StageName.VERIFY] if verifies else [])]
    later = [StageName.BACK] if returns else [StageName.LEAVE, StageName.RESTORE, StageName.BACK]
    return Stages((StageName.LOAD, *own, *later), 1)


def in_restorer() -> Stages:
    """Return the list as the restorer begins: all that comes before it is behind."""
    before = (StageName.LOAD, *SAVING, StageName.LEAVE)
    return Stages((*before, StageName.RESTORE, StageName.BACK), len(before))
