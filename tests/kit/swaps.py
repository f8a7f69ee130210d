"""Swaps as mkswap makes them, in files."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


def made(path: Path, size: int) -> Path:
    """Make a swap in a file that may stand for a device, and return its path."""
    path.write_bytes(bytes(size))
    path.chmod(0o600)
    program = shutil.which("mkswap", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    assert program
    subprocess.run([program, "-q", path], check=True)
    return path
