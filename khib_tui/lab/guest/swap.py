"""A swap of A's for the image, in the guest: made, used by a process whose pages were swapped out, and looked at again.

`make KIND STACK PARTITION` makes it and swaps on, `again` does what a start of the system does; `hold MIB` is the process;
`look` prints what the swap and the process are like, `out` pushes the pages out once more, `where` tells where the image goes.
"""

from __future__ import annotations

import mmap
import os
import sys
import time
from hashlib import sha256
from pathlib import Path

import msgspec

from khib_tui.errors import CommandFailed
from khib_tui.facts import blockdev
from khib_tui.facts.blockdev import reader
from khib_tui.facts.signatures import sniff
from khib_tui.facts.usage import read_swaps
from khib_tui.lab.guest.stacks import MODULES, POINT, STACKS, Stack, do
from khib_tui.model import target as targets
from khib_tui.model.units import KIB, MIB
from khib_tui.target import swap

PLACE = Path("/var/lib/khib-swap")
FILE = POINT / "swapfile"
LABEL, PRIORITY = "khibswap", "7"
ASK, ANSWER = Path("/run/khib-hold.ask"), Path("/run/khib-hold.answer")
PATIENCE = 120.0
_PAGE_OUT = 21  # MADV_PAGEOUT


class Look(msgspec.Struct):
    """What the swap is like: by its header, by the kernel, and by the digest of what a process has in it."""

    fstype: str = ""
    label: str = ""
    uuid: str = ""
    size: int = 0
    used: int = 0
    priority: int = -99
    digest: str = ""


def make(kind: str, stack: str, part: str) -> None:
    """Make it as a partition or volume, or as a file on an ext4 there, and swap on."""
    do("modprobe", "--all", *MODULES)
    made = Stack("swap" if kind == "partition" else "ext4", STACKS[stack], [part])
    made.make()
    if kind == "file":
        made.mount()
        do("fallocate", "-l", str(_room()), FILE)
        FILE.chmod(0o600)
    top = os.fspath(FILE) if kind == "file" else made.top
    do("mkswap", "-q", "-f", "-L", LABEL, top)
    PLACE.write_text(f"{kind} {stack} {part} {top}")
    on(top)


def _room() -> int:
    around = os.statvfs(POINT)
    return around.f_bavail * around.f_frsize // MIB * MIB - 16 * MIB


def again() -> None:
    """Do what a start of the system does: open what it lies on, and swap on by util-linux's program."""
    kind, stack, part, top = PLACE.read_text().split()
    do("modprobe", "--all", *MODULES)
    opened = Stack("ext4", STACKS[stack], [part])
    opened.open()
    if kind == "file":
        opened.mount()
    on(top)


def on(top: str) -> None:
    """Swap on."""
    do("swapon", "-o", f"pri={PRIORITY}", top)


def hold(count: int) -> None:
    """Have so many MiB of noise, swapped out; tell its digest whenever it is asked for."""
    pages = mmap.mmap(-1, count * MIB, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for at in range(0, count * MIB, MIB):
        pages[at : at + MIB] = os.urandom(MIB)
    ASK.write_text("out")
    while True:
        word = ASK.read_text() if ASK.exists() else ""
        if word == "out":
            pages.madvise(_PAGE_OUT)
        if word:
            found = sha256(pages).hexdigest() if word == "digest" else ""
            ASK.unlink()
            ANSWER.write_text(f"{word} {found}")
        time.sleep(0.05)


def ask(word: str) -> str:
    """Ask the process that holds the pages.

    :raises CommandFailed: it does not answer.
    """
    ANSWER.unlink(missing_ok=True)
    ASK.with_suffix(".new").write_text(word)
    ASK.with_suffix(".new").rename(ASK)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if ANSWER.exists() and (answer := ANSWER.read_text()).startswith(word):
            return answer.removeprefix(word).strip()
        time.sleep(0.05)
    raise CommandFailed(f"the process that holds pages does not {word}", ident="HIB-E-LAB")


def look(*, digest: bool) -> str:
    """Return what it is like as JSON.

    :param digest: ask the process, too.
    """
    top = Path(PLACE.read_text().split()[3])
    name = Path(os.path.realpath(top)).name
    if top == FILE:
        with FILE.open("rb") as stream:
            head = stream.read(260 * KIB)
        found = sniff(lambda offset, count: head[offset : offset + count], len(head))
    else:
        found = sniff(reader(Path("/"), name), 1 << 40)
    active = [item for item in read_swaps() if item.source in (os.fspath(top), f"/dev/{name}")]
    looked = Look(found.fstype, found.label, found.uuid, digest=ask("digest") if digest else "")
    if active:
        looked.size, looked.used, looked.priority = active[0].size, active[0].used, active[0].priority
    return msgspec.json.encode(looked).decode()


def where() -> str:
    """Return the ranges that the image gets, as JSON."""
    top = Path(PLACE.read_text().split()[3])
    devices = blockdev.devices()
    target = targets.resolved(targets.parse(f"swap:{top}"), devices)
    return msgspec.json.encode(swap.located(target, devices, sealed=True)).decode()


def main() -> None:
    """Do what is asked for."""
    match sys.argv[1:]:
        case ["make", kind, stack, part]:
            make(kind, stack, part)
        case ["again"]:
            again()
        case ["hold", count]:
            hold(int(count))
        case ["out"]:
            ask("out")
        case ["look", *words]:
            print(look(digest="digest" in words))
        case ["where"]:
            print(where())


if __name__ == "__main__":
    main()
