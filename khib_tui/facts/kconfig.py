"""Kernel configurations: `CONFIG_X=y` lines as a table of option names without `CONFIG_`."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

from khib_tui.facts.read import data

_LIMIT = 4 << 20
_GZIP = 31
_LINE = re.compile(r"^CONFIG_(\w+)=(.*)$", re.MULTILINE)


def parse(lines: str) -> dict[str, str]:
    """Read `CONFIG_X=value` lines; quotes around strings go, options that are not set are missing."""
    return {name: value.strip().strip('"') for name, value in _LINE.findall(lines)}


def running(root: Path, release: str) -> dict[str, str]:
    """Return the running kernel's configuration: its own copy (IKCONFIG_PROC), else the file of its release, else {}."""
    return parse(_inflate(data(root / "proc/config.gz", _LIMIT))) or of_release(root, release)


def of_release(root: Path, release: str) -> dict[str, str]:
    """Return the configuration that a distribution installed for a release, {} if it did not."""
    if not release or "/" in release:
        return {}
    for place in (f"boot/config-{release}", f"lib/modules/{release}/config", f"usr/lib/modules/{release}/config"):
        if found := parse(data(root / place, _LIMIT).decode(errors="replace")):
            return found
    return {}


def _inflate(packed: bytes) -> str:
    try:
        return zlib.decompressobj(_GZIP).decompress(packed, _LIMIT).decode(errors="replace")
    except zlib.error:
        return ""
