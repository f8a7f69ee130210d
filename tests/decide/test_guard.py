"""What is said of a normal start beside a waiting image: never that it is guarded where it is not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from khib_tui.decide.guard import guarded_partition, judge
from khib_tui.events.types import Severity
from khib_tui.model.machine import BlockDevice, Machine
from khib_tui.model.target import Target
from tests.kit.machines import BIOS

GUID = "0C5B8A1E-0000-4000-8000-00000000000A"


def machine(partuuid: str = GUID, **facts: object) -> Machine:
    devices = (BlockDevice("sda1", 1 << 30, "partition", disk="sda", partuuid=partuuid), BlockDevice("sdb", 1 << 30, "disk"))
    return msgspec.structs.replace(BIOS, devices=devices, **facts)


def test_a_partition_is_known_by_its_partuuid_and_nothing_else_is() -> None:
    assert guarded_partition(machine(), Target("/dev/sda1")) == GUID.lower()
    for target in (Target("/dev/sda1", "/image"), Target("/dev/sdb"), Target("/dev/gone"), None):
        assert guarded_partition(machine(), target) == ""
    assert guarded_partition(machine("$(reboot)"), Target("/dev/sda1")) == ""


@pytest.mark.parametrize(
    ("facts", "target", "severity", "said"),
    [
        ({}, Target("/dev/sda1"), Severity.OK, "no guard is installed"),
        ({"initramfs_maker": "dracut"}, Target("/dev/sda1"), Severity.OK, "will be asked about (dracut)"),
        ({"systemd": True}, Target("/dev/sda1"), Severity.OK, "not asked about"),
        ({"initramfs_maker": "dracut"}, Target("/dev/sda1", "/image"), Severity.WARNING, "cannot look at this target"),
        ({"systemd": True}, Target("/dev/sdb"), Severity.WARNING, "cannot look at this target"),
    ],
)
def test_it_is_said_what_a_normal_start_does(facts: dict[str, Any], target: Target, severity: Severity, said: str) -> None:
    found = judge(machine(**facts), target)
    assert (found.severity, said in found.what) == (severity, True)
