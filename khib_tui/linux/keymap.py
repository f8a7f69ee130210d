"""The keymap of the kernel's own console: read in A, given to C, where a passphrase is typed on the same keys."""

from __future__ import annotations

import fcntl
import os
import struct
from contextlib import suppress
from pathlib import Path

# linux/kd.h
_KDGKBMODE, _K_UNICODE = 0x4B44, 3
_KDGKBENT, _KDSKBENT = 0x4B46, 0x4B47
_KDGKBDIACRUC, _KDSKBDIACRUC = 0x4BFA, 0x4BFB
_ENTRY = struct.Struct("<BBH")
_TABLES, _KEYS = 256, 256
_NO_TABLE = 0x27F  # K_NOSUCHMAP
_ACCENTS = 4 + 256 * 12
_MAP = struct.Struct(f"<B{_KEYS}H")
_MAGIC = b"khib keymap 1\n"
# linux/keyboard.h: how many types there are, KT_LATIN and KT_LETTER, KT_DEAD and KT_DEAD2; a kbdiacruc
_TYPES, _LETTERS, _DEAD = 15, (0, 11), (4, 13)
_COMPOSED = struct.Struct("<III")


def read(dev: Path = Path("/dev")) -> bytes:
    """Return the keymap for `load`; empty if this system has no console of the kernel's, or it may not be asked.

    Consoles in another mode than UTF-8, such as that of a desktop, hide what is not Latin-1; so one in that mode is asked.
    """
    for name in (*(f"tty{number}" for number in range(1, 7)), "tty0"):
        with suppress(OSError):
            console = os.open(dev / name, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
            try:
                if name == "tty0" or _mode(console) == _K_UNICODE:
                    return _MAGIC + _accents(console) + b"".join(filter(None, (_table(console, at) for at in range(_TABLES))))
            finally:
                os.close(console)
    return b""


def characters(keymap: bytes) -> frozenset[str]:
    """Return the characters that can be typed with a keymap that `read` returned: those on keys, and those of accents.

    An empty one is the kernel's own, which is that of the USA.
    """
    start = len(_MAGIC) + _ACCENTS
    values = {value for _, *table in _MAP.iter_unpack(keymap[start:]) for value in table}
    if not values:
        return frozenset(map(chr, range(0x20, 0x7F)))
    typed = {chr(code) for value in values if (code := _code(value)) is not None and code >= 0x20}
    accents = _COMPOSED.iter_unpack(keymap[len(_MAGIC) + 4 : start]) if any(value >> 8 in _DEAD for value in values) else ()
    return frozenset(
        typed | {chr(result) for _, base, result in accents if result and chr(base) in typed and result < 0x110000}
    )


def _code(value: int) -> int | None:
    """Return the character of a key: of types it is that of KT_LATIN and KT_LETTER, else it is turned around (KDGKBENT)."""
    if value >> 8 < _TYPES:
        return value & 0xFF if value >> 8 in _LETTERS else None
    return value ^ 0xF000


def load(keymap: bytes, console: Path = Path("/dev/tty0")) -> None:
    """Give the kernel's consoles a keymap that `read` returned.

    :raises OSError: this kernel has no console, or does not take the keymap.
    :raises ValueError: it is none.
    """
    start = len(_MAGIC) + _ACCENTS
    if not keymap.startswith(_MAGIC) or (len(keymap) - start) % _MAP.size:
        raise ValueError("no keymap")
    target = os.open(console, os.O_RDWR | os.O_NOCTTY)
    try:
        for table, *values in _MAP.iter_unpack(keymap[start:]):
            for key, value in enumerate(values):
                _set(target, table, key, value)
        fcntl.ioctl(target, _KDSKBDIACRUC, bytearray(keymap[len(_MAGIC) : start]))
    finally:
        os.close(target)


def _set(console: int, table: int, key: int, value: int) -> None:
    """Set one key; a kernel with fewer kinds of keys keeps its own."""
    if key or value != _NO_TABLE:
        with suppress(OSError):
            fcntl.ioctl(console, _KDSKBENT, _ENTRY.pack(table, key, value))


def _mode(console: int) -> int:
    return int.from_bytes(fcntl.ioctl(console, _KDGKBMODE, bytes(4)), "little")


def _accents(console: int) -> bytes:
    found = bytearray(_ACCENTS)
    fcntl.ioctl(console, _KDGKBDIACRUC, found)
    return bytes(found)


def _table(console: int, table: int) -> bytes:
    """Return one of the tables, each of which is for a set of shifts; empty if the kernel has not got it."""
    if _key(console, table, 0) == _NO_TABLE:
        return b""
    return _MAP.pack(table, *(_key(console, table, key) for key in range(_KEYS)))


def _key(console: int, table: int, key: int) -> int:
    return int(_ENTRY.unpack(fcntl.ioctl(console, _KDGKBENT, _ENTRY.pack(table, key, 0)))[2])
