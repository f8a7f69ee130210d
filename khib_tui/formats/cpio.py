"""Writing cpio archives in the `newc` form, which is what the kernel unpacks an initramfs from.

The same entries always give the same bytes: owner root, time 0, inodes counted in the given order.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator

from msgspec import Struct

_END = "TRAILER!!!"
_BLOCK = 512
_NAME_MAX = 4095
_DATA_MAX = 0xFFFFFFFF


class Entry(Struct, frozen=True):
    """One file: its path without a leading slash, `st_mode`, content (a symlink's target), device number."""

    name: str
    mode: int
    data: bytes = b""
    rdev: tuple[int, int] = (0, 0)


def directory(name: str, mode: int = 0o755) -> Entry:
    """Make the entry of a directory."""
    return Entry(name, stat.S_IFDIR | mode)


def file(name: str, data: bytes, mode: int = 0o644) -> Entry:
    """Make the entry of a regular file."""
    return Entry(name, stat.S_IFREG | mode, data)


def symlink(name: str, target: str) -> Entry:
    """Make the entry of a symbolic link."""
    return Entry(name, stat.S_IFLNK | 0o777, os.fsencode(target))


def device(name: str, major: int, minor: int, mode: int = 0o600) -> Entry:
    """Make the entry of a character device."""
    return Entry(name, stat.S_IFCHR | mode, b"", (major, minor))


def archive(entries: Iterable[Entry]) -> bytes:
    """Return the archive of the entries in their order; a directory has to come before what is in it.

    :raises ValueError: an entry cannot be told in this form, or comes twice.
    """
    return b"".join(pieces(entries))


def pieces(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Yield what `archive` returns, piece by piece: entries may be made one by one."""
    done = 0
    seen: set[str] = set()
    for number, entry in enumerate(entries, 1):
        _check(entry, seen)
        seen.add(entry.name)
        for piece in _pieces(number, entry):
            done += len(piece)
            yield piece
    end = b"".join(_pieces(0, Entry(_END, 0)))
    yield end + bytes(-(done + len(end)) % _BLOCK)


def _check(entry: Entry, seen: set[str]) -> None:
    name = os.fsencode(entry.name)
    parts = entry.name.split("/")
    if not {"", ".", ".."}.isdisjoint(parts) or b"\0" in name or len(name) > _NAME_MAX or entry.name == _END:
        raise ValueError(f"{entry.name[:80]!r} is no name for a file in an archive")
    if len(entry.data) > _DATA_MAX:
        raise ValueError(f"{entry.name} is too large for an archive")
    if entry.name in seen:
        raise ValueError(f"{entry.name} comes twice")


def _pieces(inode: int, entry: Entry) -> Iterator[bytes]:
    name = os.fsencode(entry.name) + b"\0"
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    fields = (inode, entry.mode, 0, 0, links, 0, len(entry.data), 0, 0, *entry.rdev, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    yield head + bytes(-len(head) % 4)
    yield entry.data
    yield bytes(-len(entry.data) % 4)
