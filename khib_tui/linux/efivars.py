"""EFI variables through efivarfs: four bytes of attributes and the value, written at once.

The kernel marks most of them immutable, so that no `rm -rf` breaks a firmware; that has to be taken away first.
"""

from __future__ import annotations

import fcntl
import os
import struct
from contextlib import suppress
from pathlib import Path

FOLDER = Path("/sys/firmware/efi/efivars")
# non-volatile, for boot services and at run time
ATTRIBUTES = 7
_GETFLAGS, _SETFLAGS = 0x80086601, 0x40086602
_IMMUTABLE = 0x10


def place(name: str, guid: str, folder: Path = FOLDER) -> Path:
    """Return the file of a variable."""
    return folder / f"{name}-{guid}"


def read(path: Path) -> bytes | None:
    """Return the value of a variable; None if there is none.

    :raises OSError: the firmware fails.
    """
    try:
        return path.read_bytes()[4:]
    except FileNotFoundError:
        return None


def write(path: Path, value: bytes) -> None:
    """Set a variable, for good.

    :raises OSError: the firmware refuses, has no room, or is gone.
    """
    _mutable(path)
    new = not path.exists()
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.write(fd, struct.pack("<I", ATTRIBUTES) + value)
    except OSError:
        if new:  # what is left is no variable, only an empty file
            with suppress(OSError):
                path.unlink()
        raise
    finally:
        os.close(fd)


def remove(path: Path) -> bool:
    """Remove a variable; return whether it was there.

    :raises OSError: the firmware refuses.
    """
    if not path.exists():
        return False
    _mutable(path)
    path.unlink(missing_ok=True)
    return True


def _mutable(path: Path) -> None:
    with suppress(FileNotFoundError):
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            # other filesystems, as in tests, have no such flag
            with suppress(OSError):
                flags = struct.unpack("<i", fcntl.ioctl(fd, _GETFLAGS, bytes(4)))[0]
                if flags & _IMMUTABLE:
                    fcntl.ioctl(fd, _SETFLAGS, struct.pack("<i", flags & ~_IMMUTABLE))
        finally:
            os.close(fd)
