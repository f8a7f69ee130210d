"""The name of one set-up: whose image it is that a boot loader or a guard sees on a disk."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from khib_tui import files

DIGITS = 16
_LIMIT = 256


def setup_id(root: Path = Path("/")) -> str:
    """Return 16 hexadecimal digits that name the system below `root`: of its machine-id, else of its root device."""
    try:
        own = files.read(root / "etc/machine-id", _LIMIT).strip()
    except OSError:
        own = b""
    named = own or f"{os.stat(root).st_dev:x}".encode()
    return hashlib.sha256(b"khib set-up\0" + named).hexdigest()[:DIGITS]
