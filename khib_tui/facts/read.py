"""The boundary to files and strings that others wrote: bounded reads without exceptions, and text made safe to show."""

from __future__ import annotations

import re
from pathlib import Path

_OCTAL = re.compile(rb"\\([0-7]{3})")
_READ_LIMIT = 16 << 20


def data(path: Path, limit: int = _READ_LIMIT) -> bytes:
    """Read at most `limit` bytes of a file; b'' where it is missing, odd or not ours to read."""
    try:
        with path.open("rb") as stream:
            return stream.read(limit)
    except (OSError, ValueError):
        return b""


def text(path: Path, limit: int = _READ_LIMIT) -> str:
    """Read a small text file without the white space around it; '' where it cannot be read."""
    return data(path, limit).decode(errors="replace").strip()


def number(path: Path, default: int = 0) -> int:
    """Read an integer, decimal or `0x...`; `default` where there is none."""
    words = text(path, 64).split()
    try:
        return int(words[0], 16 if words[0].startswith("0x") else 10)
    except (IndexError, ValueError):
        return default


def names(path: Path) -> tuple[str, ...]:
    """List a directory, sorted; () where there is none."""
    try:
        return tuple(sorted(entry.name for entry in path.iterdir()))
    except OSError:
        return ()


def unescape(word: str) -> str:
    r"""Undo the kernel's `\040` escapes in /proc/mounts, mountinfo and swaps."""
    raw = word.encode(errors="replace")
    return _OCTAL.sub(lambda found: bytes([int(found[1], 8) & 0xFF]), raw).decode(errors="replace")
