"""`khib lab prints`: whoever uses a sleeping system's disks is noticed, whatever lies on them; and nobody else is."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import msgspec

from khib_tui.errors import Exit
from khib_tui.events.types import Level, Message, Result, Sink, Stage, StageName, Status
from khib_tui.lab import disks
from khib_tui.lab.board import Board
from khib_tui.lab.build.kernel import guest_kernel
from khib_tui.lab.build.program import program_disk
from khib_tui.lab.build.root import guest_root
from khib_tui.lab.cycle import LabError, Session
from khib_tui.lab.guest.prints import Seen
from khib_tui.lab.guest.stacks import LARGE_LOG, LAYERS, SIZES, STACKS
from khib_tui.lab.hardware import Hardware
from khib_tui.lab.scratch import refuse_little_room, scratch_dir
from khib_tui.lab.setup import Lab, workspace
from khib_tui.model.units import MIB, size

PACKAGES = ("cryptsetup-bin", "lvm2", "mdadm", "xfsprogs", "btrfs-progs", "f2fs-tools", "dosfstools")
PROGRAM = ("env", "PYTHONPATH=/opt/khib", "PATH=/usr/sbin:/usr/bin", "python3", "-m", "khib_tui.lab.guest.prints")
WRITTEN_OVER = ("/dev/vdc", "/dev/vdd")
MEMORY = 1024
# Seconds for a cell; an emulated machine on a busy host is slow.
PATIENCE = 1800
ROOM = 3 * 1024 * MIB


def matrix(arguments: Namespace, sink: Sink) -> int:
    """Play all cells that were asked for, and print the table.

    :param arguments: `kinds` and `stacks`, empty for all; `keep`, `linux_source`, `cpus`.
    """
    sink(Message(refuse_little_room("the machine's disks", ROOM, arguments.keep or scratch_dir())))
    seen: list[Seen] = []
    with workspace(arguments.keep) as directory:
        session = Session(machine(arguments, directory, sink), sink)
        try:
            session.boot_a()
            wanted = cells(arguments)
            for kind, stack in wanted:
                seen += cell(session, kind, stack, sink)
        finally:
            session.end()
    return told(seen, len(wanted), sink)


def cells(arguments: Namespace) -> list[tuple[str, str]]:
    """Return the kinds and stacks that were asked for; if none were, all, but the large log on two stacks only."""
    both = [(kind, stack) for kind in arguments.kinds or SIZES for stack in arguments.stacks or STACKS]
    if arguments.kinds or arguments.stacks:
        return both
    return [(kind, stack) for kind, stack in both if kind != LARGE_LOG or stack in ("plain", "LUKS+LVM")]


def machine(arguments: Namespace, directory: Path, sink: Sink) -> Lab:
    """Make a machine with the programs of all filesystems, and two empty disks."""
    kernel, root = guest_kernel(sink, arguments.linux_source), guest_root(sink, PACKAGES)
    sink(Stage(StageName.DISKS, Status.STARTED))
    disk_a = disks.copy(root, directory / "a.raw")
    disks.put_on_root(disk_a, kernel.modules, f"/usr/lib/modules/{kernel.release}")
    program = directory / "program.raw"
    program_disk(program)
    spare = [directory / f"spare{number}.raw" for number in range(len(WRITTEN_OVER))]
    for path in spare:
        with path.open("wb") as stream:
            stream.truncate((max(SIZES.values()) + LAYERS + 8) * MIB)
    sink(Stage(StageName.DISKS, Status.DONE))
    hardware = Hardware(MEMORY, arguments.cpus, "bios", (disk_a, program, *spare), directory, board=Board())
    return Lab(hardware, kernel, directory)


def cell(session: Session, kind: str, stack: str, sink: Sink) -> list[Seen]:
    """Play one cell in the guest, and show it."""
    try:
        answer = session.program(*PROGRAM, kind, stack, *WRITTEN_OVER, timeout=PATIENCE)
    except LabError as error:
        sink(Message(f"{kind:7} {stack:9} was not played: {error}", Level.ERROR))
        return []
    seen = msgspec.json.decode(answer.strip().splitlines()[-1], type=list[Seen])
    for item in seen:
        sink(Message(line(item)))
    return seen


def line(item: Seen) -> str:
    """Format a row of the table."""
    changed = f"{item.changed} blocks changed" if item.changed else "unchanged"
    verdict = "" if item.right else " MISSED" if item.changed else " FALSE"
    noticed = "noticed" if item.noticed else "not noticed"
    return f"{item.kind:7} {item.stack:9} {item.deed:26} {changed:22} {noticed}{verdict}"


def told(seen: Sequence[Seen], cells: int, sink: Sink) -> int:
    """Tell how many deeds were judged wrongly, and how many of so many cells could not be played."""
    lost = cells - len({(item.kind, item.stack) for item in seen})
    missed = sum(bool(item.changed) and not item.right for item in seen)
    false = sum(not item.changed and not item.right for item in seen)
    most = size(max((item.read for item in seen), default=0))
    text = f"{cells - lost} of {cells} cells, {len(seen)} deeds, {missed} missed, {false} false; prints read {most} at most"
    sink(Result("lab prints", not missed and not false and not lost, text, {"rows": msgspec.to_builtins(list(seen))}))
    return Exit.ERROR if missed or false or lost else Exit.OK
