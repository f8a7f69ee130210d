"""A filesystem of A's own for the image, in the guest: fragmented, used, and looked at again after the journeys.

`make KIND STACK PARTITION` makes and mounts it; `where FILE` prints the ranges of a file on the disk; `check` compares what was
written, unmounts, and lets the filesystem's own program look it over.
"""

from __future__ import annotations

import os
import sys
from hashlib import sha256
from pathlib import Path

import msgspec

from khib_tui.facts import blockdev
from khib_tui.lab.guest.stacks import MODULES, POINT, STACKS, Stack, do
from khib_tui.model.units import MIB
from khib_tui.runner import run
from khib_tui.target import ownfile

FILE = POINT / "hibernate.khib"
NOTES = Path("/run/khib/place.json")
OPTIONS = {"btrfs": ("-o", "compress=zstd")}
CHECKS = {
    "ext4": ("e2fsck", "-fn"), "xfs": ("xfs_repair", "-n"), "btrfs": ("btrfs", "check", "--readonly", "--check-data-csum"),
}  # fmt: skip
FILES = 40


class Notes(msgspec.Struct):
    """What is on top, and the digests of the files that were written."""

    kind: str
    layers: tuple[str, ...]
    part: str
    top: str
    digests: dict[str, str]


def make(kind: str, stack: str, part: str) -> None:
    """Make it, and leave holes of 2 MiB in its free room."""
    do("modprobe", "--all", *MODULES)
    made = Stack(kind, STACKS[stack], [part])
    made.make()
    made.mount(*OPTIONS.get(kind, ()))
    for number in range(FILES):
        made.write(2 * MIB, f"file{number}")
    for number in range(0, FILES, 2):
        (POINT / f"file{number}").unlink()
    os.sync()
    digests = {path.name: sha256(path.read_bytes()).hexdigest() for path in POINT.glob("file*")}
    NOTES.write_bytes(msgspec.json.encode(Notes(kind, made.layers, part, made.top, digests)))


def where(file: Path) -> str:
    """Return the ranges of an image's file as JSON."""
    return msgspec.json.encode(ownfile.located(file, blockdev.devices(), 0, sealed=True).spans).decode()


def check() -> str:
    """Return what is wrong, in a line each; nothing if all is well."""
    notes = msgspec.json.decode(NOTES.read_bytes(), type=Notes)
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3")
    wrong = [name for name, digest in notes.digests.items() if sha256((POINT / name).read_bytes()).hexdigest() != digest]
    with FILE.open("rb") as stream:
        seen = any(stream.read(16 * MIB))
    if seen:
        wrong.append("the image shows in the file")
    do("umount", POINT)
    looked = run([*CHECKS[notes.kind], notes.top], check=False)
    if looked.returncode:
        wrong.append(f"{CHECKS[notes.kind][0]}: {looked.stdout[-1500:]}{looked.stderr[-500:]}")
    return "\n".join(wrong)


def main() -> None:
    """Do what is asked for."""
    match sys.argv[1:]:
        case ["make", kind, stack, part]:
            make(kind, stack, part)
        case ["where", file]:
            print(where(Path(file)))
        case ["check"]:
            print(check())


if __name__ == "__main__":
    main()
