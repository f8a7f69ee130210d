"""The memory that is saved: of a real guest, kept in the cache, in one file that is both memory and vmcore.

The file's offset is the physical address. Page 0, which no kernel uses, takes the headers of an ELF vmcore whose segments
lie where they are; the notes follow behind the memory. So khib and makedumpfile read the very same pages.
"""

from __future__ import annotations

import os
import shutil
import struct
import time
from argparse import Namespace
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from khib_tui.errors import KhibError
from khib_tui.events import Message, Sink
from khib_tui.handover import Handover, Mode
from khib_tui.image import vmcore
from khib_tui.lab import mixture
from khib_tui.lab.cache import cache_dir, digest_of, entry
from khib_tui.lab.cycle import Session
from khib_tui.lab.kernel import guest_kernel
from khib_tui.lab.mixture import Facts
from khib_tui.lab.setup import Lab, prepare, workspace
from khib_tui.machine import Cpu, MemoryRange
from khib_tui.pagefilter.policy import FreePages
from khib_tui.ranges import Ranges
from khib_tui.runner import run
from khib_tui.units import MIB, PAGE

MEMORY = 2048
FILES_MIB = 520
MEMORY_NAME, FACTS_NAME, PIECE = "memory", "facts.json", "piece"
PATIENCE = 900
_PIECE = 16 * MIB
_LOG = "/run/mixture.log"


@dataclass(frozen=True)
class Sample:
    """A guest's memory: the file, and the facts about the guest."""

    path: Path
    facts: Facts

    @property
    def ram(self) -> Ranges:
        """The guest's RAM."""
        return Ranges.of(self.facts.ram)

    def handover(self, image_id: str) -> Handover:
        """Give what A would give B; all RAM is to be saved."""
        cpu = Cpu("benchmark", "benchmark", 6, 1, 1, 1, False, False, "0" * 64)
        memmap = tuple(MemoryRange(start, end, "System RAM") for start, end in self.ram)
        return Handover(
            mode=Mode.SAVE, image_id=image_id, created=0.0, host="benchmark", release=self.facts.release,
            version=self.facts.version, cpu=cpu, uefi=False, dmi={}, firmware_memmap=memmap, ram=self.ram.spans, region=(),
            saved=self.ram.spans, mailbox=0, gdt=1 << 63, report_page=self.facts.entry, cookie="00" * 32,
            page_offset=self.facts.page_offset, vmcoreinfo=self.facts.vmcoreinfo, target=None,
            free_pages=FreePages.LEAVE_OUT,
        )  # fmt: skip


def sample(sink: Sink, linux_source: Path | None, directory: Path) -> Sample:
    """Give the sample with its memory in `directory`, which should lie in memory; made in the lab if it is not cached.

    :raises KhibError: the lab fails, or there is no room.
    """
    made = entry(sample_name(sink, linux_source), lambda work: _record(work, linux_source, sink))
    filled(made / MEMORY_NAME, directory / MEMORY_NAME)
    shutil.copyfile(made / FACTS_NAME, directory / FACTS_NAME)
    return opened(directory)


def opened(directory: Path) -> Sample:
    """Give the sample that lies in a directory."""
    return Sample(directory / MEMORY_NAME, msgspec.json.decode((directory / FACTS_NAME).read_bytes(), type=Facts))


def sample_name(sink: Sink, linux_source: Path | None) -> str:
    """Give the cache entry of a sample, by kernel and workload."""
    kernel = guest_kernel(sink, linux_source)
    return f"bench-memory-{digest_of(kernel.bzimage, Path(mixture.__file__), f'{MEMORY} {FILES_MIB}')}"


def filled(source: Path, to: Path) -> None:
    """Copy a file so that no holes are left, which would be read without any work.

    :raises KhibError: there is no room.
    """
    needed, free = source.stat().st_size, shutil.disk_usage(to.parent).free
    if free < needed + 64 * MIB:
        text = f"{to.parent} has {free >> 20} MiB free, and {needed >> 20} are needed"
        raise KhibError(text, hint="--memory-directory DIR", ident="HIB-E-BENCH")
    with source.open("rb") as reader, to.open("wb") as writer:
        while piece := reader.read(_PIECE):
            writer.write(piece)


def _record(work: Path, linux_source: Path | None, sink: Sink) -> None:
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
        session.program("sh", "-c", f"PYTHONPATH=/opt/khib python3 -m khib_tui.lab.mixture >{_LOG} 2>&1 </dev/null &")
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
    placed = [vmcore.Placed(vmcore.Run(start, end - start, end - start), start) for start, end in Ranges.of(facts.ram)]
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


def scratch() -> Path:
    """Give the directory of logs and raw results."""
    place = cache_dir() / "bench"
    place.mkdir(parents=True, exist_ok=True)
    return place
