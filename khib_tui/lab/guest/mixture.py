"""Fills A's memory with what a used machine holds, for measurements; runs in the guest, and goes on in the background.

Page cache, text, Python objects, floating-point numbers, random bytes, touched zeros, and pages that a process which has
ended left behind. When all is there, the facts a saver needs are written to `FACTS`.
"""

from __future__ import annotations

import array
import math
import mmap
import os
import random
import struct
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from khib_tui import files
from khib_tui.decide.region import system_ram
from khib_tui.facts import memory
from khib_tui.handover.report import ReportPage
from khib_tui.jump.gdt import read_facts
from khib_tui.model.units import MIB

FACTS = Path("/run/khib-facts.json")
LIST = Path("/run/khib-list")
FILES = Path("/mnt")
TREES = (Path("/usr"), Path("/opt/khib"), FILES)
# MiB of a guest with 2048 MiB, which leave a quarter of it free.
TEXT, OBJECTS, NUMBERS, NOISE, ZEROS, STALE = 120, 150, 100, 120, 120, 400

_IND_INDIRECTION, _IND_DONE = 2, 4


class Facts(msgspec.Struct, frozen=True):
    """What is told about A: spans of its RAM, VMCOREINFO, and the virtual address of physical page 0.

    `entry` is the physical address of a page that says what the kernel's control page would after a jump that swapped
    nothing: there is no region.
    """

    ram: tuple[tuple[int, int], ...]
    vmcoreinfo: str
    page_offset: int
    release: str
    version: str
    entry: int


def hold(fill: Callable[[], object]) -> None:
    """Start a process that holds what `fill` gives, and wait until it does."""
    ready, told = os.pipe()
    if os.fork() == 0:
        os.setsid()
        _kept = fill()
        os.write(told, b".")
        while True:
            time.sleep(3600)
    os.close(told)
    os.read(ready, 1)
    os.close(ready)


def empty_list() -> ReportPage:
    """Return a page that is a list of swapped pages with no entry, and says where it is (struct kimage, kexec_core.c)."""
    ram = system_ram(memory.iomem(Path("/")))
    page = ReportPage(ram, 0)
    page.pool[page.offset : page.offset + 16] = struct.pack("<QQ", _IND_DONE, page.physical | _IND_INDIRECTION)
    LIST.write_text(str(page.physical))
    return page


def text() -> str:
    """Return words in a random order."""
    names = sorted(path.name for path in Path("/usr/bin").iterdir())
    draw = random.Random(1)
    parts, length = [], 0
    while length < TEXT * MIB:
        parts.append(" ".join(draw.choices(names, k=4096)))
        length += len(parts[-1])
    return "\n".join(parts)


def objects() -> list[dict[str, object]]:
    """Return small Python objects, of about half a KiB a record."""
    draw = random.Random(2)
    return [
        {"id": number, "name": f"record {number}", "value": draw.random(), "of": [draw.randrange(1000)] * 3}
        for number in range(OBJECTS * MIB // 512)
    ]


def numbers() -> array.array[float]:
    """Return doubles of a curve with noise."""
    draw = random.Random(3)
    piece = array.array("d", (math.sin(at / 1000) + draw.random() / 1e3 for at in range(MIB // 8)))
    whole = array.array("d")
    for number in range(NUMBERS):
        piece[0] = number
        whole.extend(piece)
    return whole


def noise() -> list[bytes]:
    """Return bytes that do not compress."""
    return [os.urandom(MIB) for _ in range(NOISE)]


def zeros() -> mmap.mmap:
    """Return touched pages of zeros."""
    held = mmap.mmap(-1, ZEROS * MIB, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for at in range(0, len(held), mmap.PAGESIZE):
        held[at] = 0
    return held


def leave_stale_pages() -> None:
    """Let a process fill memory and end."""
    child = os.fork()
    if child == 0:
        piece = bytes(range(256)) * (MIB // 256)
        _held = [piece + number.to_bytes(4, "little") for number in range(STALE)]
        os._exit(0)
    os.waitpid(child, 0)


def read_files() -> None:
    """Bring files into the page cache."""
    for tree in TREES:
        for path in sorted(tree.rglob("*")):
            if path.is_file() and not path.is_symlink():
                with path.open("rb", buffering=0) as stream:
                    while stream.read(MIB):
                        pass


def main() -> None:
    """Fill, and tell the facts."""
    leave_stale_pages()
    for fill in (empty_list, text, objects, numbers, noise, zeros):
        hold(fill)
    read_files()
    leave_stale_pages()
    tell()


def tell() -> None:
    """Write the facts, whole or not at all."""
    kernel, system = read_facts(), os.uname()
    ram = system_ram(memory.iomem(Path("/"))).spans
    facts = Facts(ram, kernel.vmcoreinfo, kernel.page_offset, system.release, system.version, int(LIST.read_text()))
    files.write(FACTS, msgspec.json.encode(facts), files.PUBLIC)


if __name__ == "__main__":
    main()
