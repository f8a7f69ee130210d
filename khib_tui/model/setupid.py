"""The name of this set-up, which an image carries where a boot loader can read it and which stands in the loader's file."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

VARIABLE = "khib_resume"
"""The variable of the GRUB environment block in an image whose value is the set-up's id."""
DIGITS = 16
_MACHINE_ID = re.compile(r"[0-9a-f]{32}")
_LIMIT = 1 << 20


def setup_id(root: Path = Path("/")) -> str:
    """Return 16 hexadecimal digits that name A's system: the same at each start of it, other ones on other machines.

    They come from its machine-id, which cannot be found from them (machine-id(5) asks for that), or if it has none from the
    UUID of the filesystem that is its root. Only A can ask: B and C have another root, and are told.
    """
    own = _text(root / "etc/machine-id").strip()
    source = own if _MACHINE_ID.fullmatch(own) and own.strip("0") else _root_uuid(root)
    return hashlib.sha256(b"khib set-up\0" + source.encode()).hexdigest()[:DIGITS]


def _root_uuid(root: Path) -> str:
    """Return the UUID of the root's filesystem by udev's links, else by the kernel's parameter; '' if neither tells."""
    devices = {os.path.realpath(source).rpartition("/")[2] for source in _root_sources(root)}
    links = root / "dev/disk/by-uuid"
    for link in sorted(links.iterdir()) if links.is_dir() else ():
        if os.path.realpath(link).rpartition("/")[2] in devices:
            return link.name
    found = re.search(r"(?:^|\s)root=UUID=\"?([^\s\"]+)", _text(root / "proc/cmdline"))
    return found[1] if found else ""


def _root_sources(root: Path) -> list[Path]:
    lines = (line.partition(" - ") for line in _text(root / "proc/self/mountinfo").splitlines())
    found = [(first.split(), rest.split()) for first, _, rest in lines]
    named = [rest[1] for first, rest in found if len(first) > 4 and first[4] == "/" and len(rest) > 1]
    return [root / name.lstrip("/") for name in named if name.startswith("/dev/")]


def _text(path: Path) -> str:
    try:
        with path.open(errors="replace") as stream:
            return stream.read(_LIMIT)
    except OSError:
        return ""
