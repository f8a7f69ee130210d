"""What happens to a machine's boot loader while it is off: words get lost, the wrong entry is chosen.

Bytes change places with others of the same length, so that no filesystem notices. A variable is never renamed: two of one
name hang the firmware.
"""

from __future__ import annotations

import re
from pathlib import Path

from khib_tui.lab import disks
from khib_tui.lab.cycle import LabError
from khib_tui.lab.disks import Partition
from khib_tui.lab.installed import ESP
from khib_tui.lab.loader import Kind

CUSTOM = "custom.cfg"
MEMORY = ("memmap=", "memmaq=")
DEFAULT = ("set default=khib", "set defaulT=khib")
NEXT = ("LoaderEntryOneShot", "BootNext")
# Of a variable that is there, in OVMF's store: before its name, what its header begins with, and the bit whose loss deletes it.
HEADER, THERE, DELETED = 60, b"\xaa\x55\x3f", 0x3D
Place = tuple[Path, Partition]


def places(disk: Path, kind: Kind) -> list[Place]:
    """Return where a boot loader keeps what it starts C by: its file or partition, and the firmware's variables."""
    if kind.loader == "grub":
        found = [(disk, part) for part in disks.used_by(disk, *kind.grub_file(CUSTOM))]
    else:
        found = [(disk, disks.partitions(disk)[ESP])] if kind.loader == "systemd-boot" else []
    variables = disk.parent / "efivars.fd"
    return [*found, (variables, Partition(0, variables.stat().st_size))] if variables.exists() else found


def change(where: list[Place], old: str, new: str) -> int:
    """Put new text for old, in ASCII and UTF-16; gives how often the new one is there now."""
    assert len(old) == len(new)
    spelled = [(old.encode(code), new.encode(code)) for code in ("ascii", "utf-16-le")]
    return sum(_change(*place, *pair) for place in where for pair in spelled)


def lose_memory_words(disk: Path, kind: Kind) -> None:
    """Make C's memory words mean nothing to its kernel.

    :raises LabError: there are none.
    """
    if not change(places(disk, kind), *MEMORY):
        raise LabError(f"{kind.loader} has no memory words of the restorer", ident="HIB-E-LAB")


def choose_a(disk: Path, kind: Kind) -> None:
    """Let the next start be A's, as someone does who chooses its entry: what was set for one start is used up by it.

    :raises LabError: nothing made the next start C's.
    """
    looks = change(places(disk, kind), *DEFAULT) if kind.loader == "grub" else 0
    if not looks + forget(disk.parent / "efivars.fd"):
        raise LabError(f"{kind.loader} would not start the restorer", ident="HIB-E-LAB")


def choose_again(disk: Path, kind: Kind) -> None:
    """Let GRUB look at the image again, which `choose_a` has taken from it; what was set for one start stays used up."""
    if kind.loader == "grub":
        change(places(disk, kind), *reversed(DEFAULT))


def forget(variables: Path) -> int:
    """Delete the firmware's variables that choose the next start, as a firmware does itself; gives how many there were."""
    data = bytearray(variables.read_bytes() if variables.exists() else b"")
    count = 0
    for name in NEXT:
        for found in re.finditer(re.escape(f"{name}\0".encode("utf-16-le")), bytes(data)):
            header = found.start() - HEADER
            if header >= 0 and data[header : header + 3] == THERE:
                data[header + 2] = DELETED
                count += 1
    if count:
        variables.write_bytes(data)
    return count


def _change(path: Path, part: Partition, old: bytes, new: bytes) -> int:
    with path.open("r+b") as stream:
        stream.seek(part.start)
        data = stream.read(part.size)
        if old in data:
            stream.seek(part.start)
            stream.write(data.replace(old, new))
        return data.count(old) + data.count(new)
