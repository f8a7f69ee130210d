"""What the demonstration says of what it saw."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from khib_tui.events.types import Event, LabResult, Message
from khib_tui.lab.cycle import Session
from khib_tui.lab.demo import started_normally, state


@pytest.mark.parametrize(
    ("seen", "wrong"),
    [([], []), ([Message("no image")], ["what started next"])],
)
def test_a_restorer_that_starts_after_a_cancelled_hibernation_is_noticed(seen: list[Event], wrong: list[str]) -> None:
    done: list[str] = []
    machine: Any = SimpleNamespace(
        running=SimpleNamespace(seen=seen), boot_a=lambda: done.append("on"), power_off=lambda: done.append("off")
    )
    assert started_normally(cast("Session", machine)) == wrong
    assert done == ["on", "off"]


GOOD = LabResult(
    resumed=True, memory_intact=True, cycles=1, image_bytes=1, ram_bytes=2, save_seconds=1, restore_seconds=1,
    hibernate_seconds=1, resume_seconds=1, fsck_clean=True,
)  # fmt: skip


def test_memory_disk_and_filesystem_are_each_told() -> None:
    assert state(GOOD) == "A's memory: as it was; its disk: fsck clean, untouched while it slept: yes"
    bad = msgspec.structs.replace(GOOD, memory_intact=False, detail="a page", fsck_clean=False, disks_identical=False)
    assert state(bad) == "A's memory: NOT as it was (a page); its disk: fsck NOT clean, untouched while it slept: NO"
