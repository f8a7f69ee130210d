"""Where an image comes from: the machine, and the memory and disks it had."""

from __future__ import annotations

import msgspec


class DiskPrint(msgspec.Struct, frozen=True):
    """A disk or partition of A, and a digest of the parts of it that change when anybody mounts it.

    `disk_id`, `start` and `size` name it without regard to device names; `name` is for messages.
    """

    name: str
    disk_id: str
    start: int
    size: int
    serial: str
    label: str
    digest: str
