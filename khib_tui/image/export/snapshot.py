"""An image's memory as A's kernel saw it, for tools that look at it: what exports are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from khib_tui.errors import ImageError
from khib_tui.formats import vmcore
from khib_tui.i18n import _
from khib_tui.image.codec import FRAME
from khib_tui.image.export.contents import Contents, File, read_head
from khib_tui.image.manifest import Manifest
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB
from khib_tui.pagefilter.kimage import shadows
from khib_tui.pagefilter.view import NOWHERE, Doubt, Shadows, SystemView

MAX_NOTES = 64 * MIB
Spans = list[tuple[int, int]]


@dataclass(frozen=True)
class Snapshot:
    """A's memory by the addresses A uses.

    :param content: memory with bytes in the image.
    :param present: memory that is known: content and zeros.
    :param known: memory that is present or was free. The rest of the RAM belonged to the loaded B.
    :param page_offset: virtual address of physical address 0.
    """

    manifest: Manifest
    vmcoreinfo: bytes
    page_offset: int
    view: SystemView
    content: Ranges
    present: Ranges
    known: Ranges

    @property
    def ram(self) -> Ranges:
        """A's RAM."""
        return Ranges.of(self.manifest.ram)

    def read(self, spans: Iterable[tuple[int, int]]) -> bytes:
        """Return the bytes of several spans, one behind the other."""
        return b"".join(self.view.read(start, end - start) for start, end in spans)


def seen(ranges: Ranges, moved: Shadows) -> Ranges:
    """Return the addresses by which A knew memory of the image: the inverse of `Shadows.move`."""
    found: Spans = list(ranges - moved.sources)
    for start, source, count in moved.runs:
        if source == NOWHERE:
            continue
        for low, high in ranges.overlapping(source, source + count):
            found.append((start + max(low - source, 0), start + min(high - source, count)))
    return Ranges.of(found)


def snapshot(contents: Contents, manifest: Manifest) -> Snapshot:
    """Look at an image's memory as A did.

    :raises ImageError: the kernel's list of swapped pages is not found.
    """
    moved = swapped(contents, manifest)
    head = read_head(contents.file)
    vmcoreinfo = notes_of(contents.file, head).get(("VMCOREINFO", 0), b"")
    view = SystemView(contents, moved)
    content, present, known = (seen(part, moved) for part in (contents.content, contents.present, manifest.saved_ranges))
    return Snapshot(manifest, vmcoreinfo, page_offset(head), view, content, present, known)


def swapped(contents: Contents, manifest: Manifest) -> Shadows:
    """Find where the region's pages are, in an image or an export: the list lies outside of both ends of the swap.

    :raises ImageError: the kernel's list of swapped pages is not found.
    """
    try:
        return shadows(contents, manifest.way_back.entry, manifest.region_ranges, Ranges.of(manifest.ram))
    except Doubt as doubt:
        raise ImageError(
            _("the pages of the memory region cannot be told apart: {doubt}").format(doubt=doubt),
            hint=_("an image can still be resumed, but not exported"), ident="HIB-E-SHADOWS",
        ) from doubt  # fmt: skip


def page_offset(head: bytes) -> int:
    """Return the virtual address of physical address 0, as the first PT_LOAD tells it."""
    return next(((part.virtual - part.physical) % (1 << 64) for part in vmcore.segments(head) if not part.note), 0)


def notes_of(file: File, head: bytes) -> dict[tuple[str, int], bytes]:
    """Read all notes of an ELF file by name and type; the first of a kind counts.

    :param head: its header and program headers.
    :raises ImageError: there are too many.
    """
    found: dict[tuple[str, int], bytes] = {}
    left = MAX_NOTES
    for part in vmcore.segments(head):
        if part.note:
            data = file.read(part.offset, min(part.filesz, left))
            left -= len(data)
            for key, text in vmcore.notes(data):
                found.setdefault(key, text)
            if len(found) > vmcore.MAX_NOTES or not left:
                raise ImageError(_("the vmcore has too many notes"), ident="HIB-E-VMCORE")
    return found


def batches(spans: Iterable[tuple[int, int]], limit: int = FRAME) -> Iterator[Spans]:
    """Cut spans into lists of exactly `limit` bytes each, but for the last."""
    held: Spans = []
    room = limit
    for start, end in spans:
        while start < end:
            stop = min(end, start + room)
            held.append((start, stop))
            room -= stop - start
            start = stop
            if not room:
                yield held
                held, room = [], limit
    if held:
        yield held
