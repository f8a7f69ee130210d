"""The machines of the collection, and changes to their devices."""

from __future__ import annotations

from typing import Any

import msgspec

from khib_tui.model import machine
from khib_tui.model.machine import BlockDevice, Machine
from tests.kit import FIELD, MACHINES

BIOS = machine.load(MACHINES / "qemu-bios-1g.json")
UEFI = machine.load(MACHINES / "qemu-uefi-5g.json")
LAPTOP = machine.load(MACHINES / "amd-laptop-ubuntu.json")
FEDORA = machine.load(MACHINES / "workstation-fedora-locked.json")


def changed(facts: Machine, name: str, **fields: Any) -> Machine:
    """A machine with one device changed."""
    devices = tuple(msgspec.structs.replace(item, **fields) if item.name == name else item for item in facts.devices)
    return msgspec.structs.replace(facts, devices=devices)


def device(facts: Machine, name: str) -> BlockDevice:
    """A device that must be there."""
    found = facts.device(name)
    assert found is not None
    return found


def field(name: str) -> Machine:
    """A machine from a public report."""
    return machine.load(FIELD / f"{name}.json")
