"""The tables of device mapper, from the kernel itself, as `dmsetup table` prints them (include/uapi/linux/dm-ioctl.h)."""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from khib_tui.prints.stack import Member, Segment, Way

CONTROL = Path("/dev/mapper/control")
SECTOR = 512
_TABLE_STATUS = 0xC138FD0C
# version, data_size, data_start, target_count, open_count, flags, event_nr, padding, dev, name, uuid, data
_HEADER = struct.Struct("=3IIIIiIIIQ128s129s7s")
_TARGET = struct.Struct("=QQiI16s")
_STATUS_TABLE, _BUFFER_FULL, _SECURE_DATA = 1 << 4, 1 << 8, 1 << 15
_ROOM, _ROOM_MAX = 1 << 14, 1 << 24


class Target(NamedTuple):
    """A line of a table: sectors from `start` on, the kind, and the words of the kind without a key."""

    start: int
    size: int
    kind: str
    words: tuple[str, ...]


def table(number: str, control: Path = CONTROL) -> list[Target]:
    """Ask the kernel for the table of a mapped device.

    :param number: as sysfs has it, `253:0`.
    :raises OSError: there is no such device, or we are not root.
    """
    major, minor = map(int, number.split(":"))
    fd = os.open(control, os.O_RDWR | os.O_CLOEXEC)
    try:
        room = _ROOM
        while room <= _ROOM_MAX:
            # The table of an encrypted disk may hold its key: the kernel wipes its copy.
            buffer = bytearray(room)
            flags = _STATUS_TABLE | _SECURE_DATA
            _HEADER.pack_into(buffer, 0, 4, 0, 0, room, _HEADER.size, 0, 0, flags, 0, 0, _encoded(major, minor), b"", b"", b"")
            fcntl.ioctl(fd, _TABLE_STATUS, buffer, True)
            full = struct.unpack_from("=I", buffer, 28)[0] & _BUFFER_FULL
            if not full:
                return list(targets(buffer))
            room *= 8
    finally:
        os.close(fd)
    raise OSError(f"the table of {number} is too long")


def _encoded(major: int, minor: int) -> int:
    return (minor & 0xFF) | (major << 8) | ((minor & ~0xFF) << 12)


def targets(answer: bytes | bytearray) -> Iterator[Target]:
    """Read the kernel's answer; the key of an encrypted device is left out."""
    base, count = struct.unpack_from("=II", answer, 16)
    at = base
    for _ in range(count):
        start, size, _status, following, kind = _TARGET.unpack_from(answer, at)
        end = answer.index(0, at + _TARGET.size)
        words = answer[at + _TARGET.size : end].decode(errors="replace").split()
        name = kind.rstrip(b"\0").decode(errors="replace")
        if name == "crypt":
            words[1:2] = ["-"]
        yield Target(start, size, name, tuple(words))
        at = base + following


def segments(lines: Sequence[Target], names: Mapping[str, str], slaves: Sequence[str]) -> tuple[Segment, ...]:
    """Return where the parts of a mapped device lie.

    :param names: kernel names by number (`253:0`).
    :param slaves: kernel names of all that lies below, for what cannot be told.
    """
    return tuple(_segment(line, names, slaves) for line in lines)


def _segment(line: Target, names: Mapping[str, str], slaves: Sequence[str]) -> Segment:
    start, size = line.start * SECTOR, line.size * SECTOR
    try:
        way, members, chunk = _members(line, names)
    except (KeyError, ValueError, IndexError):
        way, members, chunk = Way.UNKNOWN, tuple(Member(name) for name in slaves), 0
    return Segment(start, size, way, members, chunk)


def _members(line: Target, names: Mapping[str, str]) -> tuple[Way, tuple[Member, ...], int]:
    """Read the words of a line (Documentation/admin-guide/device-mapper).

    :raises KeyError, ValueError, IndexError: of a kind, or in a way, that is not plain arithmetic.
    """
    words = line.words
    match line.kind:
        case "linear":
            return Way.EACH, (_member(names, words[0], words[1]),), 0
        case "crypt" if not any(word.startswith("integrity:") for word in words[5:]):
            return Way.EACH, (_member(names, words[3], words[4]),), 0
        case "striped":
            count = int(words[0])
            places = [_member(names, words[at], words[at + 1]) for at in range(2, 2 + 2 * count, 2)]
            return Way.STRIPES, tuple(places), int(words[1]) * SECTOR
    raise ValueError(line.kind)


def _member(names: Mapping[str, str], number: str, sectors: str) -> Member:
    return Member(names[number], int(sectors) * SECTOR)
