"""The lab's disks: A's own, the one the image goes to, and the one that carries this program."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import xxhash

from khib_tui import runner
from khib_tui.errors import CommandFailed
from khib_tui.model.units import MIB

BLOCK = 64 * 1024
EXT4_BLOCK = 4096
_ZERO = bytes(BLOCK)
SWAP = 64
SMALL = 16


@dataclass(frozen=True)
class Partition:
    """Where a partition lies in a disk image, in bytes."""

    start: int
    size: int


def partitions(disk: Path) -> list[Partition]:
    """Read the partition table of a disk image."""
    table = json.loads(runner.run(["sfdisk", "--json", disk]).stdout)["partitiontable"]
    sector = table.get("sectorsize", 512)
    return [Partition(entry["start"] * sector, entry["size"] * sector) for entry in table["partitions"]]


def copy(source: Path, to: Path) -> Path:
    """Copy a disk image, holes and all."""
    runner.run(["cp", "--sparse=always", "--reflink=auto", source, to])
    return to


def target_disk(path: Path, memory: int, image_mib: int | None = None) -> Path:
    """Make the disk the image goes to: an empty partition, a spare ext4 filesystem, a swap and a tiny partition.

    :param memory: RAM of the machine in MiB; the first partition holds an image of all of it.
    """
    image = image_mib or memory + 128
    spare_mib = memory + 256
    with path.open("wb") as stream:
        stream.truncate((image + spare_mib + SWAP + SMALL + 4) * MIB)
    sizes = {"khib-image": image, "spare": spare_mib, "swap": SWAP, "small": SMALL}
    table = "label: gpt\n" + "".join(f"size={count}MiB, name={name}\n" for name, count in sizes.items())
    runner.run(["sfdisk", "--quiet", path], input=table)
    _, spare, swap, _ = partitions(path)
    place = ["-E", f"offset={spare.start}", str(path), f"{spare.size // 1024}k"]
    runner.run(["mke2fs", "-q", "-F", "-t", "ext4", "-L", "spare", *place])
    swap_space(path, swap)
    return path


def used_by(disk: Path, number: int, name: str) -> list[Partition]:
    """Return where on a disk the content of a file lies; the filesystem is ext4.

    :param number: of its partition, from zero.
    """
    start = partitions(disk)[number].start
    told = runner.run(["debugfs", "-R", f"blocks {name}", f"{disk}?offset={start}"]).stdout
    return [Partition(start + int(block) * EXT4_BLOCK, EXT4_BLOCK) for block in told.split()]


def swap_space(path: Path, partition: Partition) -> None:
    """Write a swap header (mkswap knows no offset): version 1, last page, label."""
    header = bytearray(4096)
    header[1024:1028] = (1).to_bytes(4, "little")
    header[1028:1032] = (partition.size // 4096 - 1).to_bytes(4, "little")
    header[1036:1052] = os.urandom(16)
    header[4086:4096] = b"SWAPSPACE2"
    with path.open("r+b") as stream:
        stream.seek(partition.start)
        stream.write(header)


def put_on_boot(disk: Path, files: dict[str, Path]) -> None:
    """Copy files onto the boot partition (the first, vfat) of A's disk, by their path there."""
    image = f"{disk}@@{partitions(disk)[0].start}"
    for folder in sorted({str(Path(name).parent) for name in files} - {"."}):
        runner.run(["mmd", "-D", "s", "-i", image, f"::{folder}"], check=False)
    for name, source in files.items():
        runner.run(["mcopy", "-o", "-i", image, source, f"::{name}"])


def put_on_root(disk: Path, tree: Path, place: str, number: int = 1, *, merge: bool = False) -> None:
    """Copy a directory of files into A's root (ext4).

    :param place: where to; its parent is made too, which is not there yet.
    :param number: of its partition, from zero.
    :param merge: the place is there already.
    :raises CommandFailed: it does not fit, or the like: debugfs tells only by what it prints.
    """
    image = f"{disk}?offset={partitions(disk)[number].start}"
    script = [] if merge else [f"mkdir {Path(place).parent}", f"mkdir {place}"]
    for path in sorted(tree.rglob("*")):
        inside = f"{place}/{path.relative_to(tree)}"
        if path.is_dir():
            script.append(f"mkdir {inside}")
        else:
            script += [f"cd {Path(inside).parent}", f'write "{path}" {path.name}']
    done = runner.run(["debugfs", "-w", "-f", "-", image], input="\n".join(script) + "\n")
    wrong = [line for line in done.stderr.splitlines() if not line.startswith("debugfs ")]
    if wrong:
        raise CommandFailed(f"{place} of the lab's disk: {wrong[0]}", ident="HIB-E-LAB-DISK")


def take_from_boot(disk: Path, name: str, to: Path) -> Path:
    """Copy a file of A's boot partition out, as a boot loader would read it."""
    to.unlink(missing_ok=True)
    runner.run(["mcopy", "-n", "-i", f"{disk}@@{partitions(disk)[0].start}", f"::{name.lstrip('/')}", to])
    return to


def digest(path: Path, without: Sequence[Partition] = ()) -> str:
    """Hash what a disk image holds, but for some places; holes and zeros are the same."""
    state = xxhash.xxh3_128()
    with path.open("rb", buffering=0) as stream:
        end = stream.seek(0, os.SEEK_END)
        at = 0
        while at < end:
            try:
                at = os.lseek(stream.fileno(), at, os.SEEK_DATA) // BLOCK * BLOCK
            except OSError:
                break
            inside = [place for place in without if place.start <= at < at + BLOCK <= place.start + place.size]
            if inside:
                at = (inside[0].start + inside[0].size) // BLOCK * BLOCK
                continue
            block = _blanked(os.pread(stream.fileno(), BLOCK, at), at, without)
            if block != _ZERO[: len(block)]:
                state.update(at.to_bytes(8, "little"))
                state.update(block)
            at += BLOCK
    return str(state.hexdigest())


def _blanked(block: bytes, at: int, places: Sequence[Partition]) -> bytes:
    """Return a block without what lies in some places; `at` is its own."""
    for place in places:
        begin, end = max(place.start - at, 0), min(place.start + place.size - at, len(block))
        if begin < end:
            block = block[:begin] + bytes(end - begin) + block[end:]
    return block


def fsck(disk: Path, number: int = 1) -> tuple[bool, str]:
    """Check an ext4 filesystem without changing it; gives whether it is clean, and what fsck says.

    :param number: of its partition, from zero; the second is A's root.
    """
    root = partitions(disk)[number]
    done = runner.run(["e2fsck", "-f", "-n", f"{disk}?offset={root.start}"], check=False)
    return done.returncode == 0, done.stdout.strip() or done.stderr.strip()
