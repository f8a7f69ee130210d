"""A's physical memory as A sees it: pages of the region are found where the kernel swapped them to."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import NamedTuple, Protocol

from msgspec import Struct

from khib_tui.errors import CommandFailed
from khib_tui.i18n import _
from khib_tui.model.ranges import Ranges


class Doubt(Exception):
    """Something in A's kernel is not as expected; the text says what. All pages are saved then."""


@contextmanager
def doubting() -> Iterator[None]:
    """Turn whatever goes wrong while structures are read that cannot be trusted into a doubt.

    :raises Doubt: an address is denied, a read is short, a number is none or beyond all bounds.
    """
    try:
        yield
    except (struct.error, ArithmeticError, LookupError, ValueError, TypeError, OSError, CommandFailed) as error:
        raise Doubt(_("the kernel's memory cannot be followed: {error}").format(error=error)) from error


class Reader(Protocol):
    """Physical memory that can be read."""

    def read(self, start: int, count: int) -> bytes:
        """Return `count` bytes at a physical address."""


NOWHERE = -1


class Swapped(NamedTuple):
    """`size` bytes of the region from `start` on. What A had in them lies at `source`: NOWHERE if it had nothing."""

    start: int
    source: int
    size: int


class Shadows(Struct, frozen=True, dict=True):
    """Where the kernel put the region's pages when A jumped: ascending by region address, disjoint."""

    runs: tuple[Swapped, ...]

    @cached_property
    def starts(self) -> list[int]:
        """The region addresses, for searching."""
        return [run.start for run in self.runs]

    @cached_property
    def region(self) -> Ranges:
        """All pages that were swapped."""
        return Ranges.of((run.start, run.start + run.size) for run in self.runs)

    @cached_property
    def sources(self) -> Ranges:
        """All shadow pages: what lies at these addresses belongs elsewhere."""
        return Ranges.of((run.source, run.source + run.size) for run in self.runs if run.source != NOWHERE)

    def piece(self, address: int) -> tuple[int, int]:
        """Return where the content of an address now lies (or NOWHERE), and where this stops to hold."""
        index = bisect_right(self.starts, address) - 1
        if index >= 0:
            run = self.runs[index]
            if address < run.start + run.size:
                at = NOWHERE if run.source == NOWHERE else run.source + address - run.start
                return at, run.start + run.size
        return address, self.starts[index + 1] if index + 1 < len(self.runs) else 1 << 64

    def move(self, ranges: Ranges) -> Ranges:
        """Return the addresses where the content of ranges now lies."""
        moved: list[tuple[int, int]] = []
        for start, end in ranges:
            at = start
            while at < end:
                source, stop = self.piece(at)
                stop = min(stop, end)
                if source != NOWHERE:
                    moved.append((source, source + stop - at))
                at = stop
        return Ranges.of(moved)


class SystemView:
    """Reads physical memory by the addresses that A uses."""

    def __init__(self, memory: Reader, shadows: Shadows) -> None:
        self.memory, self.shadows = memory, shadows

    def read(self, start: int, count: int) -> bytes:
        """Return `count` bytes at an address of A; pages that A had nothing in read as zero."""
        parts: list[bytes] = []
        at, end = start, start + count
        while at < end:
            source, stop = self.shadows.piece(at)
            stop = min(stop, end)
            parts.append(bytes(stop - at) if source == NOWHERE else self.memory.read(source, stop - at))
            at = stop
        return b"".join(parts)
