"""What B does before it saves: it finds the disks of the system that sleeps, and takes their prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from khib_tui.errors import Refused
from khib_tui.facts import blockdev
from khib_tui.model.identity import TargetRef, key_of
from khib_tui.model.machine import BlockDevice
from khib_tui.model.origin import Used
from khib_tui.saver import run as kernel_b
from khib_tui.target import guard
from tests.kit.saved import handover

ROOT = BlockDevice("sda2", 1 << 20, "partition", disk="sda", disk_id="d", start=1 << 20)
HOME = BlockDevice("sdb", 1 << 21, "disk", serial="USB")
TARGET = BlockDevice("sda3", 1 << 22, "partition", disk="sda", disk_id="d", start=1 << 24)
USED = (Used(key_of(ROOT), "vda2", "/", ((0, 4096),)), Used(key_of(HOME), "vdb", "/home, swap", ((0, 4096),)))
GIVEN = handover(target=TargetRef(key_of(TARGET)), used=USED)


def there(monkeypatch: pytest.MonkeyPatch, *seen: Sequence[BlockDevice]) -> None:
    """Let these disks be there, at one look after the other."""
    looks = [*seen]
    monkeypatch.setattr(blockdev, "devices", lambda: looks.pop(0) if len(looks) > 1 else looks[0])
    monkeypatch.setattr(guard, "_PAUSE", 0.0)
    monkeypatch.setattr(guard.settled, "__defaults__", (0.2,))


def test_all_disks_of_the_system_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    there(monkeypatch, [], [TARGET], [TARGET, ROOT], [TARGET, ROOT, HOME])
    assert kernel_b.find_disks(GIVEN) == ([TARGET, ROOT, HOME], TARGET)


def test_a_disk_that_does_not_come_is_refused_by_the_name_it_had(monkeypatch: pytest.MonkeyPatch) -> None:
    there(monkeypatch, [TARGET, ROOT])
    with pytest.raises(Refused) as caught:
        kernel_b.find_disks(GIVEN)
    assert caught.value.ident == "HIB-E-SAVER-DISKS" and "vdb (/home, swap)" in caught.value.message
    assert "vda2" not in caught.value.message and caught.value.hint


def test_a_target_that_does_not_come_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    there(monkeypatch, [ROOT, HOME])
    with pytest.raises(Refused) as caught:
        kernel_b.find_disks(GIVEN)
    assert caught.value.ident == "HIB-E-TARGET-MISSING"


def test_two_disks_that_nothing_tells_apart_must_both_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    there(monkeypatch, [TARGET, HOME])
    twice = handover(used=(USED[1], USED[1]))
    with pytest.raises(Refused, match="vdb"):
        kernel_b.find_disks(twice)
    there(monkeypatch, [HOME, HOME])
    assert kernel_b.find_disks(twice) == ([HOME, HOME], None)


def test_nothing_is_saved_beside_a_disk_that_cannot_be_read(tmp_path: Path) -> None:
    gone = BlockDevice(f"..{tmp_path}/gone", 4096, "disk", serial="G")
    with pytest.raises(Refused) as caught:
        kernel_b.prints_of(handover(used=(Used(key_of(gone), "sdz", "/data", ((0, 4096),)),)), [gone], None)
    assert caught.value.ident == "HIB-E-DISK-UNREADABLE"
    with pytest.raises(Refused) as caught:
        kernel_b.prints_of(handover(used=(Used(key_of(gone), "sdz", "/data", ((0, 9000),)),)), [gone], None)
    assert caught.value.ident == "HIB-E-SPOTS"
    assert [item.needed for item in kernel_b.prints_of(handover(), [gone], None)] == [False]
