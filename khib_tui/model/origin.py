"""Where an image comes from: the machine, and the memory and disks it had."""

from __future__ import annotations

import msgspec

from khib_tui.model.machine import Cpu, MemoryRange
from khib_tui.model.ranges import Spans


class Origin(msgspec.Struct, frozen=True):
    """What hand-over and manifest both say of A. `created` is in seconds since 1970, `ram`, `region` and `saved` in bytes.

    `saved` is the memory that an image holds, `region` the memory that B and C live in; together they are `ram`.
    """

    image_id: str
    created: float
    host: str
    release: str
    version: str
    cpu: Cpu
    uefi: bool
    dmi: dict[str, str]
    firmware_memmap: tuple[MemoryRange, ...]
    ram: Spans
    region: Spans
    saved: Spans


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
