"""Exporting A's memory as a kdump-compressed dump: disk_dump_header version 6 (makedumpfile's diskdump_mod.h).

Blocks of 4096 bytes: header, sub header with notes, bitmap of the RAM, bitmap of the dumped pages, then one page_desc for
each dumped page in order of address, then the data of the pages, each compressed by itself.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from itertools import islice
from typing import BinaryIO

from khib_tui.image.export.elf import kernel_notes
from khib_tui.image.export.snapshot import Snapshot, Spans, batches
from khib_tui.image.threads import ordered, workers
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import PAGE

SIGNATURE, VERSION = b"KDUMP   ", 6
ZLIB = 1
LEVEL = 1
ZERO_SHARED, FREE_LEFT_OUT = 1, 16  # bits of the dump level
_HEADER = struct.Struct("<8si65s65s65s65s65s65s6xqqIiiIIIIIIi4x")
_SUB = struct.Struct("<Qii11Q")
_DESC = struct.Struct("<qIIQ")
_ZERO = bytes(PAGE)
_SAMPLES = 64

Pages = list[bytes | None]


def pack_pages(data: bytes) -> Pages:
    """Compress each page by itself; None for one that is zero, and as it is if it does not shrink."""
    return [_pack_page(data[at : at + PAGE]) for at in range(0, len(data), PAGE)]


def _pack_page(page: bytes) -> bytes | None:
    if page == _ZERO:
        return None
    packed = zlib.compress(page, LEVEL)
    return packed if len(packed) < PAGE else page


def bitmap(ranges: Ranges, size: int) -> bytes:
    """Make a bitmap of page frames, the lowest bit of a byte first.

    :param size: bytes; ranges beyond are cut off.
    """
    bits = bytearray(size)
    for start, end in ranges.clip(0, size * 8 * PAGE):
        first, last = start // PAGE, end // PAGE
        low, high = -(-first // 8), last // 8
        if low < high:
            bits[low:high] = b"\xff" * (high - low)
        for pfn in [*range(first, min(low * 8, last)), *range(max(high * 8, first), last)]:
            bits[pfn >> 3] |= 1 << (pfn & 7)
    return bytes(bits)


def _blocks(count: int) -> int:
    return -(-count // PAGE)


class Kdump:
    """A kdump-compressed export that is ready to be written."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.pages = snapshot.present.total // PAGE
        self.notes = kernel_notes(snapshot)
        self.max_pfn = max(snapshot.ram.end, snapshot.present.end) // PAGE
        self.map_blocks = _blocks(-(-self.max_pfn // 8))
        self.sub_blocks = _blocks(_SUB.size + len(self.notes) + len(snapshot.vmcoreinfo))
        self.table = (1 + self.sub_blocks + 2 * self.map_blocks) * PAGE

    @property
    def memory_size(self) -> int:
        """Bytes of memory that are gone through."""
        return self.snapshot.present.total

    @property
    def data(self) -> int:
        """Offset of the first page's data: the zero page that all zero pages share."""
        return self.table + self.pages * _DESC.size

    @property
    def needed(self) -> int:
        """An estimate of the bytes the file takes, from a sample of pages."""
        content = self.snapshot.content
        step = max(content.total // _SAMPLES // PAGE, 1) * PAGE
        sizes = [
            len(page or b"")
            for spans in islice(batches(content, step), _SAMPLES)
            for page in pack_pages(self.snapshot.read(_first_pages(spans)))
        ]  # fmt: skip
        packed = sum(sizes) / max(len(sizes), 1) / PAGE * content.total
        return self.data + PAGE + int(packed * 1.1)

    def head(self) -> bytes:
        """Make all blocks before the page descriptors."""
        manifest, ram = self.snapshot.manifest, self.snapshot.ram
        names = ("Linux", manifest.host, manifest.release, manifest.version, "x86_64", "(none)")
        header = _HEADER.pack(
            SIGNATURE, VERSION, *(name.encode()[:64] for name in names), int(manifest.created), 0, ZLIB, PAGE,
            self.sub_blocks, 2 * self.map_blocks, min(self.max_pfn, 0xFFFFFFFF), ram.total // PAGE & 0xFFFFFFFF, 0,
            self.pages & 0xFFFFFFFF, 0, max(manifest.cpu.count, 1),
        )  # fmt: skip
        size = self.map_blocks * PAGE
        parts = [header.ljust(PAGE, b"\0"), self._sub_header(), bitmap(ram, size), bitmap(self.snapshot.present, size)]
        return b"".join(parts)

    def _sub_header(self) -> bytes:
        info = self.snapshot.vmcoreinfo
        notes_at = PAGE + _SUB.size
        level = ZERO_SHARED | (FREE_LEFT_OUT if self.snapshot.manifest.free_bytes else 0)
        found = re.search(rb"^NUMBER\(phys_base\)=(-?\d+)$", info, re.MULTILINE)
        packed = _SUB.pack(
            int(found[1]) % (1 << 64) if found else 0, level, 0, 0, 0, notes_at + len(self.notes), len(info), notes_at,
            len(self.notes), 0, 0, 0, 0, self.max_pfn,
        )  # fmt: skip
        return (packed + self.notes + info).ljust(self.sub_blocks * PAGE, b"\0")

    def write(self, stream: BinaryIO, progress: Callable[[int], None]) -> None:
        """Write the file.

        :param stream: can be written at any offset.
        :param progress: told how many more bytes of memory are done; may raise to stop.
        :raises ImageError: the image is damaged.
        """
        stream.write(self.head())
        stream.seek(self.data)
        stream.write(_ZERO)
        table_at, offset = self.table, self.data + PAGE
        for pages in ordered(self._pack, batches(self.snapshot.present), workers()):
            descriptors, offset = self._describe(pages, offset)
            stream.write(b"".join(page for page in pages if page))
            stream.seek(table_at)
            stream.write(descriptors)
            table_at += len(descriptors)
            stream.seek(offset)
            progress(len(pages) * PAGE)

    def _pack(self, spans: Spans) -> Pages:
        return pack_pages(self.snapshot.read(spans))

    def _describe(self, pages: Pages, offset: int) -> tuple[bytes, int]:
        """Make the descriptors of pages whose data begins at `offset`; gives the offset after it too."""
        packed = []
        for page in pages:
            if page is None:
                packed.append(_DESC.pack(self.data, PAGE, 0, 0))
                continue
            packed.append(_DESC.pack(offset, len(page), ZLIB if len(page) < PAGE else 0, 0))
            offset += len(page)
        return b"".join(packed), offset


def _first_pages(spans: Spans) -> Spans:
    """Return up to eight pages of the begin of some spans."""
    return next(batches(spans, 8 * PAGE))
