"""The memory that is saved: of a real guest, kept in the cache, in one file that is both memory and vmcore.

The file's offset is the physical address. Page 0, which no kernel uses, takes the headers of an ELF vmcore whose segments
lie where they are; the notes follow behind the memory. So khib and makedumpfile read the very same pages.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmark.record import FACTS_NAME, FILES_MIB, MEMORY, MEMORY_NAME, record
from khib_tui.errors import KhibError
from khib_tui.events.types import Sink
from khib_tui.files import cache_dir
from khib_tui.handover.handover import FreePages, Handover, Mode
from khib_tui.lab.build.cache import digest_of, entry
from khib_tui.lab.build.kernel import guest_kernel
from khib_tui.lab.guest import mixture
from khib_tui.lab.guest.mixture import Facts
from khib_tui.model.machine import Cpu, MemoryRange
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB

PIECE = "piece"
_PIECE = 16 * MIB


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
        """Return what A would give B; all RAM is to be saved."""
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
    """Return the sample with its memory in `directory`, which should lie in memory; made in the lab if it is not cached.

    :raises KhibError: the lab fails, or there is no room.
    """
    made = entry(sample_name(sink, linux_source), lambda work: record(work, linux_source, sink))
    filled(made / MEMORY_NAME, directory / MEMORY_NAME)
    shutil.copyfile(made / FACTS_NAME, directory / FACTS_NAME)
    return opened(directory)


def opened(directory: Path) -> Sample:
    """Return the sample that lies in a directory."""
    return Sample(directory / MEMORY_NAME, msgspec.json.decode((directory / FACTS_NAME).read_bytes(), type=Facts))


def sample_name(sink: Sink, linux_source: Path | None) -> str:
    """Return the cache entry of a sample, by kernel and workload."""
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


def scratch() -> Path:
    """Return the directory of logs and raw results."""
    place = cache_dir() / "bench"
    place.mkdir(parents=True, exist_ok=True)
    return place
