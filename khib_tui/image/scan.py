"""Which pages of A hold anything: the runs of the vmcore, with zero pages left out."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable, Iterator

from khib_tui.image.vmcore import Run
from khib_tui.jump.devmem import WINDOW, PhysicalMemory
from khib_tui.ranges import Ranges
from khib_tui.units import MIB, PAGE

BLOCK = MIB
# A shorter hole costs less as compressed zeros than as a program header.
MIN_HOLE = 8 * PAGE
_ZERO_BLOCK = bytes(BLOCK)
_ZERO_PAGE = bytes(PAGE)


def windows(ranges: Ranges) -> Iterator[tuple[int, int]]:
    """Cut ranges into pieces that are mapped at once."""
    for start, end in ranges:
        for at in range(start, end, WINDOW):
            yield at, min(at + WINDOW, end)


def nonzero(mapped: mmap.mmap, base: int, length: int) -> Iterator[tuple[int, int]]:
    """Give the physical spans of non-zero pages in a mapping of `length` bytes at address `base`."""
    for block in range(0, length, BLOCK):
        size = min(BLOCK, length - block)
        data = mapped[block : block + size]
        if data == _ZERO_BLOCK[:size]:
            continue
        yield from _pages(data, base + block)


def _pages(data: bytes, base: int) -> Iterator[tuple[int, int]]:
    flags = [data[at : at + PAGE] != _ZERO_PAGE for at in range(0, len(data), PAGE)]
    at = 0
    while True:
        try:
            first = flags.index(True, at)
        except ValueError:
            return
        try:
            at = flags.index(False, first)
        except ValueError:
            at = len(flags)
        yield base + first * PAGE, base + at * PAGE


def runs(ranges: Ranges, spans: Iterable[tuple[int, int]]) -> list[Run]:
    """Turn non-zero spans into runs that together cover `ranges` exactly; short holes are kept as content."""
    joined = _join(Ranges.of(spans))
    result: list[Run] = []
    for start, end in ranges:
        at = start
        for span_start, span_end in joined.clip(start, end):
            if span_start > at:
                _zeros(result, at, span_start)
            result.append(Run(span_start, span_end - span_start, span_end - span_start))
            at = span_end
        if at < end:
            _zeros(result, at, end)
    return result


def _join(spans: Ranges) -> Ranges:
    bridges = [
        (before[1], after[0])
        for before, after in zip(spans.spans, spans.spans[1:], strict=False)
        if after[0] - before[1] < MIN_HOLE
    ]
    return spans | Ranges.of(bridges)


def _zeros(result: list[Run], start: int, end: int) -> None:
    """Add zeros as the tail of the run before, if it touches."""
    if result and result[-1].start + result[-1].memsz == start:
        last = result[-1]
        result[-1] = Run(last.start, last.filesz, last.memsz + end - start)
        return
    result.append(Run(start, 0, end - start))


def scan(memory: PhysicalMemory, saved: Ranges, progress: Callable[[int], None]) -> list[Run]:
    """Look through A's memory once.

    :param progress: told how many bytes were looked at since it was last called.
    """
    spans: list[tuple[int, int]] = []
    for start, end in windows(saved):
        with memory.window(start, end) as mapped:
            spans.extend(nonzero(mapped, start, end - start))
        progress(end - start)
    return runs(saved, spans)
