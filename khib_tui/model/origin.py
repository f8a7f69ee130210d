"""Where an image comes from: the machine, and the memory and disks it had."""

from __future__ import annotations

import msgspec

from khib_tui.model.identity import DeviceKey
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
    """A disk or partition of A, and a digest of the parts of it that change when anybody uses it; '' if it cannot be read.

    `disk_id`, `start`, `size`, `serial` and `unit` name it without regard to device names; `name` and `what` are for messages.
    `needed` tells whether A used it, `spots` what is digested, in bytes from its start. An image that is older than these
    has neither: its `unit` is None, A may have used anything, and the digest is that of the first 256 KiB and last 64 KiB.
    """

    name: str
    disk_id: str
    start: int
    size: int
    serial: str
    label: str
    digest: str
    unit: str | None = None
    needed: bool = True
    spots: Spans = ()
    what: str = ""


class Used(msgspec.Struct, frozen=True):
    """A disk or partition that A uses, and the places on it (bytes, from its start) that tell whether anybody else did.

    `name` is A's kernel name, `what` says what for: mount points, swap.
    """

    key: DeviceKey
    name: str
    what: str
    spots: Spans
