"""The kernel's own log, as far as it tells of sleeping, kexec and khib."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from khib_tui.model.text import clean

PATH = Path("/dev/kmsg")
MOST = 200
_ABOUT = re.compile(r"khib|kexec|PM:|ACPI.*(sleep|S[345])|hibernat|freezing|lockdown|Command line", re.IGNORECASE)


def lines(path: Path = PATH) -> list[str]:
    """Return the last lines about it; none where the log cannot be read."""
    found: list[str] = []
    with suppress(OSError):
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            found = [line for line in _records(fd) if _ABOUT.search(line)]
        finally:
            os.close(fd)
    return found[-MOST:]


def _records(fd: int) -> list[str]:
    records: list[str] = []
    while True:
        try:
            data = os.read(fd, 8192)
        except BrokenPipeError:
            continue  # overwritten meanwhile; the next read gives what is still there
        except BlockingIOError:
            return records
        if not data:
            return records
        for line in data.decode("utf-8", "replace").splitlines():
            records.append(clean(line.partition(";")[2] or line, 300))
