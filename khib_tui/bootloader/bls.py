"""C's boot entry, in the form of the Boot Loader Specification (type 1).

systemd-boot, GRUB with blscfg and the lab read it as it is: no character in it needs quoting.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BootEntry:
    """What a boot loader needs: paths are relative to the boot partition."""

    title: str
    linux: str
    initrd: str
    options: str

    def text(self) -> str:
        """Return the entry's file."""
        return f"title {self.title}\nlinux {self.linux}\ninitrd {self.initrd}\noptions {self.options}\n"

    @classmethod
    def parse(cls, text: str) -> BootEntry:
        """Read an entry's file; keys that are missing are empty."""
        pairs = (line.split(None, 1) for line in text.splitlines() if line.strip() and not line.startswith("#"))
        keys = {pair[0]: pair[1].strip() for pair in pairs if len(pair) == 2}
        return cls(*(keys.get(key, "") for key in ("title", "linux", "initrd", "options")))
