"""Recording the sample: a guest of the lab is filled, held still, and its memory kept as a vmcore."""

from __future__ import annotations

import os
import shutil
import struct
import time
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import msgspec

from khib_tui.errors import KhibError
from khib_tui.events.types import Message, Sink
from khib_tui.formats import vmcore
from khib_tui.lab.cycle import Session
from khib_tui.lab.guest import mixture
from khib_tui.lab.guest.mixture import Facts
from khib_tui.lab.setup import Lab, prepare, workspace
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB, PAGE
from khib_tui.runner import run

MEMORY = 2048
FILES_MIB = 520
MEMORY_NAME, FACTS_NAME = "memory", "facts.json"
PATIENCE = 900
_LOG = "/run/mixture.log"


def record(work: Path, linux_source: Path | None, sink: Sink) -> None:
    """Run the guest until its memory is full, hold it, and keep its memory and facts."""
    sink(Message("recording the memory of a guest; this is done once"))
    with workspace(None) as directory:
        options = Namespace(linux_source=linux_source, memory=MEMORY, cpus=2, firmware="bios")
        lab = prepare(options, directory, sink)
        live = _live_memory(directory)
        try:
            facts = _fill(_with_memory(lab, live, _files_disk(directory)), live, work / MEMORY_NAME, sink)
        finally:
            live.unlink(missing_ok=True)
    (work / FACTS_NAME).write_bytes(msgspec.json.encode(facts))
    make_vmcore(work / MEMORY_NAME, facts)


def _live_memory(directory: Path) -> Path:
    """Place the guest's RAM in memory if it can be, which spares the disk."""
    shared = Path("/dev/shm")
    base = shared if shared.is_dir() and shutil.disk_usage(shared).free > 2 * MEMORY * MIB else directory
    return base / f"khib-bench-{os.getpid()}"


def _with_memory(lab: Lab, live: Path, files: Path) -> Lab:
    hardware = replace(lab.hardware, memory_file=live, disks=(*lab.hardware.disks, files))
    return replace(lab, hardware=hardware)


def _files_disk(directory: Path) -> Path:
    """Make a disk with files of this machine's own /usr/lib, for the guest's page cache."""
    tree, disk = directory / "files", directory / "files.raw"
    tree.mkdir()
    room = FILES_MIB * MIB
    for number, path in enumerate(sorted(Path("/usr/lib").rglob("*"))):
        if path.is_symlink() or not path.is_file() or path.stat().st_size > 32 * MIB:
            continue
        room -= path.stat().st_size
        if room < 0:
            break
        shutil.copyfile(path, tree / str(number))
    with disk.open("wb") as stream:
        stream.truncate((FILES_MIB * 5 // 4 + 64) * MIB)
    run(["mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", "-N", "65536", "-d", tree, disk])
    shutil.rmtree(tree)
    return disk


def _fill(lab: Lab, live: Path, to: Path, sink: Sink) -> Facts:
    session = Session(lab, sink)
    try:
        session.boot_a()
        session.program("mount", "-o", "ro", "/dev/vdd", str(mixture.FILES))
        session.program("sh", "-c", f"PYTHONPATH=/opt/khib python3 -m khib_tui.lab.guest.mixture >{_LOG} 2>&1 </dev/null &")
        _wait(session)
        data = read_whole(session, str(mixture.FACTS))
        with session.running.paused():
            run(["cp", "--sparse=always", live, to])
    finally:
        session.end()
    return msgspec.json.decode(data, type=Facts)


def _wait(session: Session) -> None:
    """Wait until the guest's memory is full.

    :raises KhibError: it fails, or takes too long.
    """
    deadline = time.monotonic() + PATIENCE
    while not session.exists(str(mixture.FACTS)):
        time.sleep(2)
        if said := session.read(_LOG).strip() or (time.monotonic() > deadline and "it takes too long"):
            raise KhibError(f"the guest's memory could not be filled: {said}", ident="HIB-E-BENCH")


def read_whole(session: Session, path: str) -> str:
    """Read a file of the guest in the pieces that its agent passes on."""
    size, piece = int(session.program("stat", "-c", "%s", path)), 3000
    return "".join(
        session.program("dd", f"if={path}", f"bs={piece}", f"skip={number}", "count=1", "status=none")
        for number in range(-(-size // piece))
    )


def make_vmcore(path: Path, facts: Facts) -> None:
    """Turn a memory file into a vmcore too.

    :raises KhibError: the headers do not fit page 0.
    """
    placed = [vmcore.Placed(vmcore.MemoryRun(start, end - start, end - start), start) for start, end in Ranges.of(facts.ram)]
    notes = vmcore.note("VMCOREINFO", facts.vmcoreinfo.encode("latin-1"))
    head = bytearray(vmcore.header(placed, notes, facts.page_offset))
    notes_at = struct.unpack_from("<Q", head, 64 + 8)[0]
    if notes_at > PAGE:
        raise KhibError("the vmcore's headers do not fit a page", ident="HIB-E-BENCH")
    end = max(path.stat().st_size, placed[-1].run.start + placed[-1].run.memsz)
    # p_offset of the first program header, which is that of the notes
    struct.pack_into("<Q", head, 64 + 8, end)
    with path.open("r+b") as stream:
        stream.write(head[:notes_at])
        stream.seek(end)
        stream.write(notes.ljust(-(-len(notes) // PAGE) * PAGE, b"\0"))
