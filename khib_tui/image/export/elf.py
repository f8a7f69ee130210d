"""Exporting A's memory as an ELF64 vmcore.

What was free is in no run. Zeros are holes of the file, not `p_memsz` above `p_filesz`: makedumpfile 1.7 maps such runs
beyond the file's end. A note "KHIB" holds the manifest, and digests of the file follow the last run, outside of every
segment: with both, C can restore the file like an image.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import BinaryIO

import msgspec
import xxhash

from khib_tui.errors import ImageError
from khib_tui.formats import vmcore
from khib_tui.formats.vmcore import MemoryRun
from khib_tui.i18n import _
from khib_tui.image.codec import FRAME
from khib_tui.image.export.contents import File
from khib_tui.image.export.snapshot import Snapshot, batches
from khib_tui.image.threads import ordered, workers
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import PAGE

NOTE = "KHIB"
NOTE_MANIFEST = 1
NT_PRSTATUS = 1
PRSTATUS_SIZE = 336  # struct elf_prstatus of x86-64
MAX_RUNS = 1 << 13  # makedumpfile goes through all of them for each page
_ZERO = bytes(PAGE)
SUMS_MAGIC = b"KHIBSUMS"
_SUMS = struct.Struct("<8sQ")


def kernel_notes(snapshot: Snapshot) -> bytes:
    """Make the notes that `crash` and others look for: registers of each processor (all zero) and VMCOREINFO."""
    registers = vmcore.note("CORE", bytes(PRSTATUS_SIZE), NT_PRSTATUS) * max(snapshot.manifest.cpu.count, 1)
    return registers + vmcore.note("VMCOREINFO", snapshot.vmcoreinfo)


def runs(present: Ranges, known: Ranges, limit: int = MAX_RUNS) -> list[MemoryRun]:
    """Make the runs of a vmcore, with zeros as content.

    :param known: where holes may be closed, the shortest first, until there are at most `limit` runs.
    """
    hole = PAGE
    while len(present.spans) > limit and hole < 1 << 52:
        hole *= 2
        pairs = zip(present.spans, present.spans[1:], strict=False)
        holes = [(before[1], after[0]) for before, after in pairs if after[0] - before[1] < hole]
        present |= Ranges.of(span for span in holes if known.covers(Ranges((span,))))
    return [MemoryRun(start, end - start, end - start) for start, end in present]


class Elf:
    """An ELF export that is ready to be written."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.runs = runs(snapshot.present, snapshot.known)
        manifest = msgspec.json.encode(snapshot.manifest)
        notes = kernel_notes(snapshot) + vmcore.note(NOTE, manifest, NOTE_MANIFEST)
        self.head = vmcore.header(vmcore.place(self.runs, len(notes)), notes, snapshot.page_offset)

    @property
    def memory_size(self) -> int:
        """Bytes of memory in the file."""
        return sum(run.filesz for run in self.runs)

    @property
    def needed(self) -> int:
        """Bytes the file takes: zeros are holes in it."""
        size = len(self.head) + self.memory_size
        return len(self.head) + self.snapshot.content.total + sums_size(size)

    def write(self, stream: BinaryIO, progress: Callable[[int], None]) -> None:
        """Write the file.

        :param progress: told how many more bytes of memory are written; may raise to stop.
        :raises ImageError: the image is damaged.
        """
        sums = Sums()
        sums.add(self.head)
        stream.write(self.head)
        spans = ((run.start, run.start + run.filesz) for run in self.runs)
        for data in ordered(self.snapshot.read, batches(spans), workers()):
            sums.add(data)
            write_sparse(stream, data)
            progress(len(data))
        stream.write(sums.finish())


def write_sparse(stream: BinaryIO, data: bytes) -> None:
    """Write whole pages at the current offset, and leave holes for zero pages."""
    for zero, group in groupby(range(0, len(data), PAGE), lambda at: data[at : at + PAGE] == _ZERO):
        pages = list(group)
        if zero:
            stream.seek(len(pages) * PAGE, os.SEEK_CUR)
        else:
            stream.write(data[pages[0] : pages[-1] + PAGE])


class Sums:
    """XXH3-128 digests of each piece of `FRAME` bytes of a file that is written from its begin on."""

    def __init__(self) -> None:
        self.digests: list[bytes] = []
        self.state, self.held = xxhash.xxh3_128(), 0

    def add(self, data: bytes) -> None:
        """Add bytes."""
        view = memoryview(data)
        while view:
            part = view[: FRAME - self.held]
            self.state.update(part)
            self.held += len(part)
            view = view[len(part) :]
            if self.held == FRAME:
                self._close()

    def _close(self) -> None:
        self.digests.append(self.state.digest())
        self.state, self.held = xxhash.xxh3_128(), 0

    def finish(self) -> bytes:
        """Return the trailer: magic, number of digests, the digests, and one of all that."""
        if self.held:
            self._close()
        return trailer(self.digests)


def trailer(digests: Iterable[bytes]) -> bytes:
    """Make the trailer of digests."""
    listed = list(digests)
    data = _SUMS.pack(SUMS_MAGIC, len(listed)) + b"".join(listed)
    return data + xxhash.xxh3_128_digest(data)


def sums_size(size: int) -> int:
    """Return the size of the trailer for a file of `size` bytes."""
    return _SUMS.size + 16 * (-(-size // FRAME)) + 16


def read_sums(file: File, end: int) -> list[bytes]:
    """Read the digests that follow an export.

    :param end: where its last run ends.
    :raises ImageError: they are damaged or not there: no tool but ours keeps them.
    """
    size = sums_size(end)
    data = file.read(end, size)
    listed = [data[at : at + 16] for at in range(_SUMS.size, len(data) - 16, 16)]
    if len(data) != size or data != trailer(listed):
        raise ImageError(
            _("the vmcore is cut off or damaged, or another tool wrote it: its digests are missing"),
            hint=_("export the image again"), ident="HIB-E-VMCORE-SUMS",
        )  # fmt: skip
    return listed
