"""What happens to a machine's boot loader while it is off: words get lost, the wrong entry is chosen.

Bytes change places with others of the same length, so that no filesystem notices.
"""

from __future__ import annotations

from pathlib import Path

from khib_tui.lab import disks
from khib_tui.lab.cycle import LabError
from khib_tui.lab.disks import Partition
from khib_tui.lab.installed import ESP
from khib_tui.lab.loader import Kind

CUSTOM = "custom.cfg"
MEMORY = ("memmap=", "memmaq=")
NEXT = (("LoaderEntryOneShot", "LoaderEntryOneShoT"), ("BootNext", "BootNexT"), ("set default=khib", "set defaulT=khib"))
Place = tuple[Path, Partition]


def places(disk: Path, kind: Kind) -> list[Place]:
    """Return where a boot loader keeps what it starts C by: its file or partition, and the firmware's variables."""
    if kind.loader == "grub":
        found = [(disk, part) for part in disks.used_by(disk, *kind.grub_file(CUSTOM))]
    else:
        found = [(disk, disks.partitions(disk)[ESP])] if kind.loader == "systemd-boot" else []
    variables = disk.parent / "efivars.fd"
    return [*found, (variables, Partition(0, variables.stat().st_size))] if variables.exists() else found


def choosers(disk: Path, kind: Kind) -> list[Place]:
    """Return where it stands what starts next; never the EFI partition, whose boot loader has the names in itself."""
    return [place for place in places(disk, kind) if kind.loader == "grub" or place[0] != disk]


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
    """Let the next start be A's, as someone does who chooses its entry.

    :raises LabError: nothing made the next start C's.
    """
    where = choosers(disk, kind)
    if not sum(change(where, old, new) for old, new in NEXT):
        raise LabError(f"{kind.loader} would not start the restorer", ident="HIB-E-LAB")


def choose_again(disk: Path, kind: Kind) -> None:
    """Take `choose_a` back."""
    where = choosers(disk, kind)
    for old, new in NEXT:
        change(where, new, old)


def _change(path: Path, part: Partition, old: bytes, new: bytes) -> int:
    with path.open("r+b") as stream:
        stream.seek(part.start)
        data = stream.read(part.size)
        if old in data:
            stream.seek(part.start)
            stream.write(data.replace(old, new))
        return data.count(old) + data.count(new)
