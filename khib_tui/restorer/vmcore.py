"""Restoring A's memory from an ELF vmcore instead of an image.

An export of ours says by its note where A is entered and what must match, and has digests. It shows memory as A saw it, so
what A had in the region goes back to the shadow pages, from where A's kernel takes it. Any other vmcore is memory as B saw
it, as in the first kexec-based hibernation: it is put where it says, and the user says where A is entered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import xxhash

from khib_tui.decide.region import system_ram
from khib_tui.errors import ImageError, Refused, UsageError
from khib_tui.facts.hardware import Hardware
from khib_tui.formats import vmcore
from khib_tui.i18n import _
from khib_tui.image import manifest as manifests
from khib_tui.image import reader
from khib_tui.image.codec import FRAME
from khib_tui.image.export.contents import Contents, PlainFile, read_head
from khib_tui.image.export.elf import NOTE, NOTE_MANIFEST, read_sums
from khib_tui.image.export.snapshot import notes_of, swapped
from khib_tui.image.manifest import Manifest
from khib_tui.image.threads import keep_memory, together, workers
from khib_tui.linux.devmem import PhysicalMemory
from khib_tui.model.machine import Machine
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import PAGE, size
from khib_tui.pagefilter.pagetable import KERNEL_MAP
from khib_tui.pagefilter.view import NOWHERE, Shadows


@dataclass(frozen=True)
class Vmcore:
    """A vmcore that can be restored.

    :param manifest: what an export of ours says; None for any other vmcore.
    :param entry: A's jump back entry (physical); `gdt` is A's GDT (virtual).
    :param target: the physical memory it is put into.
    """

    contents: Contents
    manifest: Manifest | None
    digests: Sequence[bytes]
    shadows: Shadows
    entry: int
    gdt: int
    target: Ranges


def load(file: PlainFile, entry: int | None = None, gdt: int | None = None) -> Vmcore:
    """Read what a vmcore says.

    :param entry: only for a vmcore that is no export of ours, and then needed; so is `gdt`.
    :raises KhibError: it cannot be restored.
    """
    head = read_head(file)
    note = notes_of(file, head).get((NOTE, NOTE_MANIFEST))
    if note is not None:
        if entry is not None or gdt is not None:
            raise UsageError(_("the vmcore says itself where the system is entered"), hint=_("leave --entry and --gdt out"))
        return _exported(file, head, note)
    if entry is None or gdt is None:
        raise Refused(
            _("the vmcore does not say where the system in it is entered: khib did not export it, or another tool changed it"),
            hint=_("give --entry ADDRESS and --gdt ADDRESS if you know them"),
            ident="HIB-E-VMCORE-NOTE",
        )
    contents = Contents(file, foreign(head))
    reader.refuse_missing_content(contents.placed, file.size)
    return Vmcore(contents, None, (), Shadows(()), entry, gdt, contents.present)


def _exported(file: PlainFile, head: bytes, note: bytes) -> Vmcore:
    contents = Contents(file, vmcore.parse(head))
    digests = read_sums(file, max((item.offset + item.run.filesz for item in contents.placed), default=0))
    if [xxhash.xxh3_128_digest(file.read(0, FRAME))] != digests[:1]:
        raise ImageError(_("the vmcore is damaged in its headers"), hint=_("export it again"), ident="HIB-E-DAMAGED")
    manifest = manifests.parse(note)
    moved = swapped(contents, manifest)
    target, saved = moved.move(contents.present), manifest.saved_ranges
    if not saved.covers(target) or saved.total - target.total > manifest.free_bytes:
        raise ImageError(_("the vmcore does not hold the memory it should"), ident="HIB-E-COVER")
    return Vmcore(contents, manifest, digests, moved, manifest.way_back.entry, manifest.way_back.gdt, target)


def foreign(head: bytes) -> list[vmcore.Placed]:
    """Read the runs of any vmcore: whole pages, by address, without a second view of the kernel's own code.

    :raises ImageError: runs overlap or are out of order.
    """
    placed: list[vmcore.Placed] = []
    for part in vmcore.segments(head):
        first, last = part.physical, part.physical + part.memsz
        start, end = -(-first // PAGE) * PAGE, last // PAGE * PAGE
        if part.note or part.virtual >= KERNEL_MAP or start >= end:
            continue
        if last > 1 << 52 or part.offset + part.filesz > 1 << 62:
            raise ImageError(_("the vmcore has an impossible segment at {first:#x}").format(first=first), ident="HIB-E-VMCORE")
        held = min(max(part.filesz - (start - first), 0) // PAGE * PAGE, end - start)
        placed.append(vmcore.Placed(vmcore.MemoryRun(start, held, end - start), part.offset + start - first))
    return vmcore.parse(vmcore.header(placed, b"", 0))


def refuse_elsewhere(core: Vmcore, machine: Machine | Hardware) -> None:
    """Refuse a vmcore without manifest that does not fit into this machine, as far as can be told.

    :raises Refused: it would overwrite this kernel, or lies where no RAM is.
    """
    own, ram = system_ram(machine.iomem), system_ram(machine.firmware_memmap)
    if core.target & own:
        raise Refused(
            _("restoring would overwrite {size} of this kernel's own memory").format(size=size((core.target & own).total)),
            hint=_("boot this kernel with memmap= words that keep it out of the vmcore's memory"), ident="HIB-E-REGION-WORD",
        )  # fmt: skip
    if not ram.covers(core.target):
        raise Refused(
            _("{size} of the vmcore lie where this machine has no RAM").format(size=size((core.target - ram).total)),
            hint=_("restore it on the machine it came from"), ident="HIB-E-MEMMAP",
        )  # fmt: skip


class Translated:
    """Puts memory as A saw it where it lies while B or C runs."""

    def __init__(self, filler: reader.Filler, moved: Shadows) -> None:
        self.filler, self.moved = filler, moved

    def put(self, spans: Sequence[reader.Span], data: memoryview) -> None:
        """Put bytes into spans of A's addresses."""
        self.filler.put([piece for span in spans for piece in self._moved(*span)], data)

    def zero(self, start: int, end: int) -> None:
        """Make memory of A zero."""
        for low, high in self._moved(start, end):
            self.filler.zero(low, high)

    def _moved(self, start: int, end: int) -> Iterator[reader.Span]:
        while start < end:
            place, stop = self.moved.piece(start)
            assert place != NOWHERE
            count = min(stop, end) - start
            yield place, place + count
            start += count


def fill(core: Vmcore, memory: PhysicalMemory, progress: Callable[[int], None]) -> None:
    """Put the memory back; each piece of an export is verified before.

    :param progress: told how many more bytes of memory are done; may raise to stop.
    :raises ImageError: the vmcore is damaged; nothing is lost, for the machine holds nothing else.
    """
    keep_memory()
    filler = reader.MemoryFiller(memory, core.target)
    translated = Translated(filler, core.shadows)
    placed = core.contents.placed
    places = reader.Places(placed)
    end = max((item.offset + item.run.filesz for item in placed), default=0)

    def work(task: int | tuple[int, int]) -> int:
        if isinstance(task, tuple):
            translated.zero(*task)
            return task[1] - task[0]
        return places.put(translated, task * FRAME, memoryview(piece(core, task, end)))

    try:
        pieces: Iterable[int | tuple[int, int]] = chain(range(-(-end // FRAME)), reader.zeros(placed))
        together(work, pieces, workers(), progress)
    finally:
        filler.close()


def piece(core: Vmcore, number: int, end: int) -> bytes:
    """Read and verify a piece of the file.

    :raises ImageError: it is damaged; its place is in the text.
    """
    data = core.contents.file.read(number * FRAME, min(FRAME, end - number * FRAME))
    if core.digests and xxhash.xxh3_128_digest(data) != core.digests[number]:
        raise ImageError(
            _("the vmcore is damaged near byte {number}").format(number=number * FRAME),
            hint=_("export it again"),
            ident="HIB-E-DAMAGED",
        )
    return data
