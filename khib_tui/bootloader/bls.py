"""C's boot entry, in the form of the Boot Loader Specification (type 1).

systemd-boot, GRUB with blscfg and the lab read it as it is: no character in it needs quoting, and GRUB ends at an empty line.
"""

from __future__ import annotations

from msgspec import Struct

# Entries without a sort-key come after those with one; this one comes last among them, so that it is never the first.
SORT_KEY = "zz-khib"
# Fedora's GRUB sorts by version first, and takes an entry without one for the newest.
VERSION = "0"


class BootEntry(Struct, frozen=True):
    """What a boot loader needs: paths are relative to the boot partition, initrds are loaded one behind the other."""

    title: str
    linux: str
    initrds: tuple[str, ...]
    options: str

    def text(self) -> str:
        """Return the entry's file."""
        initrds = "".join(f"initrd {path}\n" for path in self.initrds)
        return (
            f"title {self.title}\nsort-key {SORT_KEY}\nversion {VERSION}\nlinux {self.linux}\n{initrds}options {self.options}\n"
        )

    @classmethod
    def parse(cls, text: str) -> BootEntry:
        """Read an entry's file; keys that are missing are empty."""
        pairs = [line.split(None, 1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
        given = [(pair[0], pair[1].strip()) for pair in pairs if len(pair) == 2]
        keys = dict(given)
        initrds = tuple(value for key, value in given if key == "initrd")
        return cls(keys.get("title", ""), keys.get("linux", ""), initrds, keys.get("options", ""))
