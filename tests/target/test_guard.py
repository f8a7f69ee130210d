"""A's disks while it sleeps: they are protected, and waited for."""

from __future__ import annotations

import pytest

from khib_tui.facts import blockdev
from khib_tui.model.machine import BlockDevice
from khib_tui.target import guard

DISK, PART = BlockDevice("sda", 8, "disk"), BlockDevice("sda1", 4, "partition", disk="sda")
LATE = BlockDevice("sdb", 8, "disk")


def test_the_target_and_its_disk_are_not_protected() -> None:
    empty, mapped = BlockDevice("sdc", 0, "disk"), BlockDevice("dm-0", 8, "dm")
    assert guard.others([DISK, PART, LATE, empty, mapped], PART) == [LATE]
    assert guard.others([DISK, PART, LATE, empty, mapped], None) == [DISK, PART, LATE]


def test_late_disks_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = iter([(DISK,), (DISK,), (DISK, LATE)])
    monkeypatch.setattr(blockdev, "devices", lambda: next(seen))
    monkeypatch.setattr(guard, "_PAUSE", 0.0)
    assert guard.settled(lambda devices: LATE in devices, 60) == (DISK, LATE)


def test_waiting_ends_with_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blockdev, "devices", lambda: (DISK,))
    monkeypatch.setattr(guard, "_PAUSE", 0.0)
    assert guard.settled(lambda devices: LATE in devices, 0.01) == (DISK,)
