"""Which disk is which, whatever the kernel calls it today: A, B and C may find disks in different order."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from khib_tui.errors import Refused
from khib_tui.i18n import _
from khib_tui.model.machine import BlockDevice
from khib_tui.model.ranges import Spans
from khib_tui.model.remote import Remote
from khib_tui.model.units import size


class DeviceKey(msgspec.Struct, frozen=True):
    """The identity of a disk or partition: its disk's identity and serial number, its start and size in bytes.

    `unit` tells apart what has one serial number: units of an enclosure, namespaces, boot areas; '' where there is one only.
    """

    disk_id: str
    start: int
    size: int
    serial: str
    unit: str = ""

    def __str__(self) -> str:
        unit = _(", unit {unit}").format(unit=self.unit) if self.unit else ""
        return _("disk {disk}, start {start}, serial {serial}{unit}").format(
            disk=self.disk_id or _("without identity"), start=self.start, serial=self.serial or _("unknown"), unit=unit
        )


class TargetRef(msgspec.Struct, frozen=True):
    """Where an image is, without regard to device names.

    :param path: of a file on that device's filesystem, which is mounted to reach it.
    :param spans: bytes of that device, `[start, end)`, which the image lies in, and nothing else is written.
    :param remote: it is on another machine, and on no device of this one.
    """

    key: DeviceKey
    path: str = ""
    spans: Spans = ()
    remote: Remote | None = None

    @property
    def keys(self) -> list[DeviceKey]:
        """The devices of this machine that it lies on."""
        return [] if self.remote else [self.key]


NOWHERE = DeviceKey("", 0, 0, "")


def key_of(device: BlockDevice) -> DeviceKey:
    """Return the identity of a device."""
    return DeviceKey(device.disk_id, device.start, device.size, device.serial, device.unit)


def only(found: list[BlockDevice], wanted: str) -> BlockDevice:
    """Return the one device that was found.

    :raises Refused: HIB-E-TARGET-MISSING, or HIB-E-TARGET-DUPLICATE where several look the same, as cloned disks do.
    """
    if not found:
        raise Refused(
            _("{wanted} is not there").format(wanted=wanted), hint=_("plug it in and try again"), ident="HIB-E-TARGET-MISSING"
        )
    if len(found) > 1:
        listed = _(" and ").join(device.path for device in found)
        raise Refused(
            _("{listed} are both {wanted}").format(listed=listed, wanted=wanted),
            hint=_("unplug the copy"),
            ident="HIB-E-TARGET-DUPLICATE",
        )
    return found[0]


def under(devices: Iterable[BlockDevice], target: TargetRef) -> BlockDevice | None:
    """Find the device of a target; None if that is on another machine.

    :raises Refused: HIB-E-TARGET-MISSING or HIB-E-TARGET-DUPLICATE.
    """
    return None if target.remote else find(devices, target.key)


def find(devices: Iterable[BlockDevice], key: DeviceKey) -> BlockDevice:
    """Find the device of an identity.

    :raises Refused: HIB-E-TARGET-MISSING or HIB-E-TARGET-DUPLICATE.
    """
    return only(
        [device for device in devices if key_of(device) == key],
        _("the target of {size} ({key})").format(size=size(key.size), key=key),
    )
