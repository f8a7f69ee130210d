"""Sets of half-open integer ranges: the arithmetic of physical memory, pure and total.

A set is kept sorted, disjoint and coalesced, so two equal sets compare equal. Units are the caller's (bytes or PFNs).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Annotated

import msgspec


class Ranges(msgspec.Struct, frozen=True):
    """An immutable set of `[start, end)` ranges."""

    spans: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, spans: Iterable[tuple[int, int]]) -> Ranges:
        """Make a set of any ranges; empty ones vanish, overlapping and touching ones are joined."""
        joined: list[tuple[int, int]] = []
        for start, end in sorted(span for span in spans if span[0] < span[1]):
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            else:
                joined.append((start, end))
        return cls(tuple(joined))

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self.spans)

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __or__(self, other: Ranges) -> Ranges:
        return Ranges.of(self.spans + other.spans)

    def __and__(self, other: Ranges) -> Ranges:
        return self - (self - other)

    def __sub__(self, other: Ranges) -> Ranges:
        left: list[tuple[int, int]] = []
        for start, end in self.spans:
            for cut_start, cut_end in other.overlapping(start, end):
                if start < cut_start:
                    left.append((start, cut_start))
                start = max(start, cut_end)
            if start < end:
                left.append((start, end))
        return Ranges(tuple(left))

    def overlapping(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the ranges of this set that meet `[start, end)`, in order and whole."""
        for index in range(max(bisect_right(self.spans, (start, start)) - 1, 0), len(self.spans)):
            span = self.spans[index]
            if span[0] >= end:
                return
            if span[1] > start:
                yield span

    def covers(self, other: Ranges) -> bool:
        """Return whether every number of `other` is in this set."""
        return not other - self

    def clip(self, start: int, end: int) -> Ranges:
        """Return the part inside `[start, end)`."""
        return self & Ranges.of([(start, end)])

    def inward(self, unit: int) -> Ranges:
        """Shrink each range to whole units: what a kernel can use of it."""
        return Ranges.of((-(-start // unit) * unit, end // unit * unit) for start, end in self.spans)

    @property
    def total(self) -> int:
        """How many numbers the set holds."""
        return sum(end - start for start, end in self.spans)

    @property
    def end(self) -> int:
        """One past the highest number; 0 for the empty set."""
        return self.spans[-1][1] if self.spans else 0


Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]
"""A size, number or offset that others wrote: never negative, and far from where arithmetic of 64 bits ends."""
Spans = tuple[tuple[Count, Count], ...]
