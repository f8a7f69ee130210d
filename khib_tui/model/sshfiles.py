"""Where ssh's files are: the same in A, and in the initramfs of B and C."""

from __future__ import annotations

from pathlib import Path

SSH = "/usr/bin/ssh"
FOLDER = Path("/etc/khib/ssh")
KEY, PUBLIC, KNOWN = FOLDER / "key", FOLDER / "key.pub", FOLDER / "known_hosts"
