"""An image whose writer died just after it became complete: A sleeps, and boot loaders get to know."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.image import header as headers
from khib_tui.image import marks
from khib_tui.image.header import State
from khib_tui.image.store import Store
from khib_tui.saver.fate import Byte, Fate
from khib_tui.saver.settle import settle_left
from tests.kit.saved import handover, save

ID = "0123456789abcdef"


@pytest.mark.parametrize("slots", [1, 2])
def test_boot_loaders_are_told_of_an_image_that_is_complete_and_of_no_other(memory: Path, target: Path, slots: int) -> None:
    header = save(memory, target, handover())
    fate = Byte()
    fate.set(Fate.UNSETTLED)
    with Store(target, writable=True) as store:
        if slots == 1:
            store.write(headers.SLOTS[1], bytes(4096))
        settle_left(store, header.image_id, "it died", fate, ID)
        there = headers.read(store)
        told = marks.resume_id(marks.read(store))
    assert there is not None
    assert (there.state, told, fate.now) == (
        (State.COMPLETE, ID, Fate.SLEEPS) if slots == 2 else (State.ABANDONED, "", Fate.RUNS_ON)
    )
