"""Which pages of A hold anything: the runs of the vmcore. Zero pages are told only, pages to leave out are not looked at."""

from __future__ import annotations

import mmap
import re
from array import array
from collections.abc import Callable

from msgspec import Struct, field

from khib_tui.formats.vmcore import MemoryRun
from khib_tui.linux.devmem import Mappings, span
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import PAGE

# So many runs keep their headers small beside the content, and below the 65535 that every tool reads.
MAX_RUNS = 1 << 15
MAX_LEFT_OUT = 1 << 14
_WORD = 8
_ZERO, _CONTENT = b"z", b"c"
_CONTENT_RUN = re.compile(b"c+")
_ZERO_PAGE = bytes(PAGE)


class Content(Struct):
    """What was found: the pages with content as starts and ends, zero and left out pages by their bytes."""

    starts: array[int] = field(default_factory=lambda: array("Q"))
    ends: array[int] = field(default_factory=lambda: array("Q"))
    zero: int = 0
    absent: int = 0

    def add(self, start: int, end: int) -> None:
        """Add pages with content, behind all that were added before."""
        if self.ends and self.ends[-1] == start:
            self.ends[-1] = end
            return
        self.starts.append(start)
        self.ends.append(end)
        if len(self.starts) > 8 * MAX_RUNS:
            self.fill_holes(4 * MAX_RUNS)

    def fill_holes(self, limit: int) -> None:
        """Take the shortest holes for content until at most `limit` spans are left."""
        holes = sorted(after - before for before, after in zip(self.ends, self.starts[1:], strict=False))
        if len(holes) < limit:
            return
        shortest = holes[len(holes) - limit]
        starts, ends = array("Q", self.starts[:1]), array("Q")
        for before, after in zip(self.ends, self.starts[1:], strict=False):
            if after - before > shortest:
                ends.append(before)
                starts.append(after)
        ends.append(self.ends[-1])
        self.starts, self.ends = starts, ends


def kinds(mapped: mmap.mmap, base: int, start: int, end: int) -> bytearray:
    """Return the kind of each page of `[start, end)`, in a mapping of the memory from `base` on: one byte a page.

    A page whose first word is not zero is not looked at any further.
    """
    result = bytearray(_CONTENT) * ((end - start) // PAGE)
    with memoryview(mapped) as whole, whole[start - base : end - base] as part, part.cast("Q") as words:
        first = words[:: PAGE // _WORD].tolist()
    for page in [page for page, word in enumerate(first) if not word]:
        at = start - base + page * PAGE
        if mapped[at : at + PAGE] == _ZERO_PAGE:
            result[page] = _ZERO[0]
    return result


def scan(windows: Mappings, saved: Ranges, absent: Ranges, progress: Callable[[int], None]) -> Content:
    """Look through A's memory once.

    :param absent: pages of `saved` to leave out; they are not even mapped where they fill a window.
    :param progress: told how many bytes were looked at since it was last called.
    """
    content = Content(absent=absent.total)
    for start, end in saved:
        at = start
        while at < end:
            stop = span(at, saved)[1]
            for low, high in Ranges(((at, stop),)) - absent:
                with windows.at(low) as window:
                    _collect(content, kinds(window.mapped, window.start, low, high), low)
            progress(stop - at)
            at = stop
    return content


def _collect(content: Content, found: bytearray, start: int) -> None:
    content.zero += found.count(_ZERO) * PAGE
    for part in _CONTENT_RUN.finditer(found):
        content.add(start + part.start() * PAGE, start + part.end() * PAGE)


def runs(saved: Ranges, absent: Ranges, content: Content) -> list[MemoryRun]:
    """Turn what was found into runs that cover `saved` without the longest spans of `absent`.

    There are not many more runs than MAX_RUNS and MAX_LEFT_OUT: other pages to leave out are called zero, and the shortest
    holes between pages with content are filled with what lies in them.
    """
    content.fill_holes(MAX_RUNS)
    spans = Ranges(tuple(zip(content.starts, content.ends, strict=True))) & saved
    result: list[MemoryRun] = []
    for start, end in saved - longest(absent - spans, MAX_LEFT_OUT):
        at = start
        for low, high in spans.overlapping(start, end):
            if low > at:
                _zeros(result, at, low)
            result.append(MemoryRun(low, high - low, high - low))
            at = high
        if at < end:
            _zeros(result, at, end)
    return result


def longest(ranges: Ranges, limit: int) -> Ranges:
    """Return the `limit` longest spans."""
    if len(ranges.spans) <= limit:
        return ranges
    return Ranges.of(sorted(ranges, key=lambda span: span[0] - span[1])[:limit])


def _zeros(result: list[MemoryRun], start: int, end: int) -> None:
    """Add zeros as the tail of the run before, if it touches."""
    if result and result[-1].start + result[-1].memsz == start:
        last = result[-1]
        result[-1] = MemoryRun(last.start, last.filesz, last.memsz + end - start)
        return
    result.append(MemoryRun(start, 0, end - start))
