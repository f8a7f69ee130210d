"""Which devices B and C find again, and why not: a partition has its disk's kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from khib_tui.decide.content import stop
from khib_tui.events.types import Finding
from khib_tui.i18n import N_, _
from khib_tui.model.disks import found_again
from khib_tui.model.machine import BlockDevice

DISK, PARTITION = "disk", "partition"


def kind_of(devices: Sequence[BlockDevice], device: BlockDevice) -> str:
    """Return `disk` for what B and C find again, else the kind of what it lies on."""
    below = next((item for item in devices if item.name == device.disk), None) if device.kind == PARTITION else device
    if below is None:
        return DISK if found_again(device.disk) else N_("virtual")
    return N_("virtual") if below.kind == DISK and not found_again(below.name) else below.kind


def reasons(devices: Sequence[BlockDevice], device: BlockDevice) -> Iterator[Finding]:
    """Find why saver and restorer cannot reach a device."""
    kind = kind_of(devices, device)
    if kind == DISK:
        return
    on = (
        _("{device} is a partition of a {kind} device").format(device=device.path, kind=_(kind))
        if device.kind == PARTITION
        else _("{device} is a {kind} device").format(device=device.path, kind=_(kind))
    )
    why = _("saver and restorer find only disks that are there by themselves, and cannot build this one again")
    yield stop("KIND", on, why, _("choose a partition of a disk that is built in or plugged in"))
