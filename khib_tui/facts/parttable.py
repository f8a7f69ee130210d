"""Partition tables, as far as they name things: the identity of a disk and of each of its partitions."""

from __future__ import annotations

import struct
import uuid

from msgspec import Struct, field

from khib_tui.facts.signatures import Read
from khib_tui.model.text import clean

_SECTOR = 512
_ENTRY_SIZES = range(128, 4096 + 1)
_ENTRIES_MAX = 1024
_DOS_TYPE = 4
_BOOT_INDICATORS = frozenset({0x00, 0x80})


class PartitionTable(Struct, frozen=True):
    """`kind` is `gpt`, `dos` or ''; `disk_id` the GPT disk GUID or MBR signature in hexadecimal.

    `partuuids` maps the start of a partition (bytes) to its GUID; MBR partitions have none of their own. `types` maps it to
    the type: a GUID, or two hexadecimal digits (of primary MBR partitions alone); `labels` to the name a GPT gives it.
    """

    kind: str = ""
    disk_id: str = ""
    partuuids: dict[int, str] = field(default_factory=dict)
    types: dict[int, str] = field(default_factory=dict)
    labels: dict[int, str] = field(default_factory=dict)

    def partuuid(self, start: int, number: int) -> str:
        """Name a partition as the kernel's PARTUUID= does."""
        if self.kind == "dos" and self.disk_id and number:
            return f"{self.disk_id}-{number:02x}"
        return self.partuuids.get(start, "")


def read_table(read: Read, block: int) -> PartitionTable:
    """Read the table of a disk whose logical blocks have `block` bytes; an empty one where there is none."""
    return _gpt(read, block) or _dos(read(0, _SECTOR), block) or PartitionTable()


def _gpt(read: Read, block: int) -> PartitionTable | None:
    header = read(block, 92)
    if len(header) < 92 or not header.startswith(b"EFI PART"):
        return None
    disk_id = str(uuid.UUID(bytes_le=header[56:72]))
    first, count, size = struct.unpack_from("<QII", header, 72)
    if size not in _ENTRY_SIZES or count > _ENTRIES_MAX:
        return PartitionTable("gpt", disk_id)
    entries = read(first * block, count * size) if first < 1 << 48 else b""
    table = PartitionTable("gpt", disk_id)
    for offset in range(0, len(entries) - 127, size):
        entry = entries[offset : offset + 128]
        if any(entry[:16]):
            start = struct.unpack_from("<Q", entry, 32)[0] * block
            table.types[start] = str(uuid.UUID(bytes_le=entry[:16]))
            table.partuuids[start] = str(uuid.UUID(bytes_le=entry[16:32]))
            table.labels[start] = clean(entry[56:128].decode("utf-16-le", "replace").partition("\0")[0])
    return table


def _dos(sector: bytes, block: int) -> PartitionTable | None:
    """Accept an MBR only if its four entries look like entries: boot sectors of FAT have the same magic."""
    if len(sector) < _SECTOR or sector[510:512] != b"\x55\xaa":
        return None
    entries = [sector[offset : offset + 16] for offset in range(446, 510, 16)]
    sound = all(entry[0] in _BOOT_INDICATORS for entry in entries)
    if not sound or not any(entry[_DOS_TYPE] for entry in entries):
        return None
    signature = struct.unpack_from("<I", sector, 0x1B8)[0]
    types = {struct.unpack_from("<I", entry, 8)[0] * block: f"{entry[_DOS_TYPE]:02x}" for entry in entries if entry[_DOS_TYPE]}
    return PartitionTable("dos", f"{signature:08x}" if signature else "", types=types)
