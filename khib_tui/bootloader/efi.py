"""A boot entry of the firmware itself: a variable Boot#### that starts C's kernel by its EFI stub (UEFI specification, 3.1.3).

It is kept out of BootOrder: only BootNext, or somebody in the firmware's menu, starts it.
"""

from __future__ import annotations

import re
import struct
import uuid

from khib_tui.bootloader.bls import BootEntry
from khib_tui.model.boot import Partition

NUMBER = 0x4B48
"""Boot4B48, "KH": far from the numbers that firmware and installers give."""
_ACTIVE = 1
_HARD_DRIVE, _FILE, _END = (4, 1), (4, 4), b"\x7f\xff\x04\x00"
_NODE = struct.Struct("<BBH")
_DRIVE = struct.Struct("<IQQ16sBB")
_GPT = (2, 2)


def load_option(entry: BootEntry, place: Partition) -> bytes:
    r"""Return the content of Boot####.

    :param entry: with paths on the EFI system partition; C's stub loads its initrds by `initrd=\...` words.
    """
    options = " ".join([*(f"initrd={_backslashes(path)}" for path in entry.initrds), entry.options])
    drive = _DRIVE.pack(place.number, place.start, place.size, uuid.UUID(place.guid).bytes_le, *_GPT)
    path = _node(*_HARD_DRIVE, drive) + _node(*_FILE, _text(_backslashes(entry.linux))) + _END
    return struct.pack("<IH", _ACTIVE, len(path)) + _text(entry.title) + path + _text(options)


def parse(data: bytes) -> BootEntry | None:
    """Read a Boot#### back; None if it is no such thing."""
    try:
        _, length = struct.unpack_from("<IH", data)
        title, at = _read_text(data, 6)
        linux = _file_of(data[at : at + length])
        words = _read_text(data, at + length)[0].split(" ")
    except (struct.error, UnicodeDecodeError, ValueError):
        return None
    initrds = tuple(_slashes(word.removeprefix("initrd=")) for word in words if word.startswith("initrd="))
    options = " ".join(word for word in words if not word.startswith("initrd="))
    return BootEntry(title, _slashes(linux), initrds, options)


def name(number: int = NUMBER) -> str:
    """Return the name of the variable."""
    return f"Boot{number:04X}"


def numbers(order: bytes) -> tuple[int, ...]:
    """Read BootOrder or BootNext."""
    return struct.unpack(f"<{len(order) // 2}H", order[: len(order) // 2 * 2])


def _node(kind: int, sub: int, data: bytes) -> bytes:
    return _NODE.pack(kind, sub, _NODE.size + len(data)) + data


def _file_of(path: bytes) -> str:
    at = 0
    while at < len(path):
        kind, sub, length = _NODE.unpack_from(path, at)
        if (kind, sub) == _FILE:
            return _read_text(path, at + _NODE.size)[0]
        at += max(length, _NODE.size)
    raise ValueError("no file in the device path")


def _text(text: str) -> bytes:
    return f"{text}\0".encode("utf-16-le")


def _read_text(data: bytes, at: int) -> tuple[str, int]:
    end = at
    while data[end : end + 2] not in (b"\0\0", b"", b"\0"):
        end += 2
    if data[end : end + 2] != b"\0\0":
        raise ValueError("a text without an end")
    return data[at:end].decode("utf-16-le"), end + 2


def _backslashes(path: str) -> str:
    return re.sub(r"/+", r"\\", path)


def _slashes(path: str) -> str:
    return path.replace("\\", "/")
