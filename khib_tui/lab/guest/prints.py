"""One cell of the matrix of prints, in the guest: a system with a filesystem on a stack sleeps, and somebody uses its disks.

Argument: the kind, the stack, and the disks that may be written over. What was seen is printed as JSON.

The sleeping system is the one that runs: its disks are read while it is mounted, as B would find them, and put back to that
state before each deed. Whether a deed changed a disk at all is told by comparing every byte.
"""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec

from khib_tui.errors import CommandFailed
from khib_tui.events.types import Severity
from khib_tui.facts import blockdev
from khib_tui.lab.guest import stacks
from khib_tui.lab.guest.stacks import Stack
from khib_tui.model.machine import BlockDevice
from khib_tui.model.origin import Used
from khib_tui.model.units import KIB, MIB
from khib_tui.prints import take
from khib_tui.prints.compare import compare
from khib_tui.prints.used import used

BLOCK = 64 * KIB
_ZERO = bytes(BLOCK)
_BLKFLSBUF = 0x1261


class Seen(msgspec.Struct, frozen=True):
    """What a deed did: how many blocks of 64 KiB it changed, what the prints noticed, and how much they read, in bytes."""

    kind: str
    stack: str
    deed: str
    changed: int
    noticed: bool
    read: int = 0

    @property
    def right(self) -> bool:
        """Whether a change, and nothing else, was noticed."""
        return self.noticed == bool(self.changed)


@dataclass(frozen=True)
class Copy:
    """What partitions held: their blocks that are not zero."""

    blocks: dict[str, dict[int, bytes]]

    @classmethod
    def of(cls, parts: Sequence[str]) -> Copy:
        """Read partitions whole."""
        return cls({part: {at: block for at, block in _blocks(part) if block != _ZERO[: len(block)]} for part in parts})

    def differences(self) -> Iterator[tuple[str, int, bytes]]:
        """Yield what is different now: the partition, the byte, and what was there."""
        for part, blocks in self.blocks.items():
            for at, block in _blocks(part):
                before = blocks.get(at, _ZERO[: len(block)])
                if block != before:
                    yield part, at, before

    def put_back(self) -> None:
        """Write what is different now."""
        for part, at, before in list(self.differences()):
            with open(part, "r+b", buffering=0) as stream:
                stream.seek(at)
                stream.write(before)
                os.fsync(stream.fileno())
        for part in self.blocks:
            _forget(part)


def _forget(part: str) -> None:
    """Drop what the kernel has read of a partition."""
    fd = os.open(part, os.O_RDONLY)
    try:
        os.fsync(fd)
        fcntl.ioctl(fd, _BLKFLSBUF)
    finally:
        os.close(fd)


def _blocks(part: str) -> Iterator[tuple[int, bytes]]:
    _forget(part)
    with open(part, "rb", buffering=0) as stream:
        at = 0
        while piece := stream.read(MIB):
            for inner in range(0, len(piece), BLOCK):
                yield at + inner, piece[inner : inner + BLOCK]
            at += len(piece)


Deed = Callable[[Stack], Iterator[str]]
"""What somebody does; it stops wherever the disks are to be looked at, with a word for it."""


def untouched(_stack: Stack) -> Iterator[str]:
    """Do nothing."""
    yield ""


def opened(stack: Stack) -> Iterator[str]:
    """Open the layers only: array, LUKS, LVM."""
    stack.open()
    stack.close()
    yield ""


def mounted(*options: str, write: int = 0) -> Deed:
    """Mount, or use as swap; maybe write; leave."""

    def deed(stack: Stack) -> Iterator[str]:
        stack.open()
        stack.mount(*options)
        pages = stack.write(write, "another") if write else None
        yield ", power cut"
        if pages:
            pages.close()
        stack.unmount()
        stack.close()
        yield ""

    return deed


FILE_DEEDS: dict[str, Deed] = {
    "untouched": untouched, "mounted rw": mounted(), "mounted ro": mounted("-o", "ro"), "1 MiB written": mounted(write=MIB),
}  # fmt: skip
SWAP_DEEDS: dict[str, Deed] = {"untouched": untouched, "swapon": mounted(), "swapon, used": mounted(write=MIB)}


def asleep(stack: Stack, files: int) -> tuple[tuple[Used, ...], Copy]:
    """Use the stack as a system does that then falls asleep; return what it hands over, and what its disks hold then.

    :param files: how many it writes before.
    """
    with ExitStack() as after:
        after.callback(stack.close)
        stack.mount()
        after.callback(stack.unmount)
        for number in range(files):
            pages = stack.write(MIB, f"file{number}")
            if pages:
                after.callback(pages.close)
        os.sync()
        names = {Path(part).name for part in stack.parts}
        found = tuple(item for item in used(blockdev.devices())[0] if item.name in names)
        return found, Copy.of(stack.parts)


def cell(kind: str, stack_name: str, disks: Sequence[str]) -> list[Seen]:
    """Play one cell."""
    stack = stacks.prepare(kind, stack_name, disks)
    handed, copy = asleep(stack, 0 if stack_name == stacks.IDLE else 4)
    seen = []
    for name, deed in (SWAP_DEEDS if kind == "swap" else FILE_DEEDS).items():
        copy.put_back()
        before = take.taken(_devices(stack), [], handed)
        read = sum(end - start for item in before for start, end in item.spots)
        for word in deed(stack):
            changed = len(list(copy.differences()))
            findings = compare(before, take.again(_devices(stack), before))
            noticed = any(finding.severity is Severity.BLOCKER for finding in findings)
            seen.append(Seen(kind, stack_name, name + word, changed, noticed, read))
    return seen


def _devices(stack: Stack) -> list[BlockDevice]:
    names = {Path(part).name for part in stack.parts}
    return [device for device in blockdev.devices() if device.name in names]


def main() -> None:
    """Play a cell, and print what was seen."""
    kind, stack, *disks = sys.argv[1:]
    try:
        print(msgspec.json.encode(cell(kind, stack, disks)).decode())
    except (CommandFailed, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
