"""Where bytes of a mapped device (device mapper, md, a partition of an array) lie on real disks: arithmetic, nothing else.

Names are kernel names; places are bytes, `[start, end)`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from msgspec import Struct, field

from khib_tui.model.ranges import Ranges, Spans
from khib_tui.model.units import KIB

# What is at the ends of a device that carries others: the labels and metadata of LVM, LUKS and md.
HEAD, TAIL = 256 * KIB, 128 * KIB


class Way(StrEnum):
    """How a segment uses its members.

    EACH: all hold the same (one member: it is linear). STRIPES: chunk by chunk in turn, `extra` copies of each, side by side.
    ROWS: as RAID 4, 5 and 6, `extra` chunks of each row are redundant. UNKNOWN: nobody can tell.
    """

    EACH = "each"
    STRIPES = "stripes"
    ROWS = "rows"
    UNKNOWN = "unknown"


class Member(Struct, frozen=True):
    """A device below a segment, and the byte on it where the segment's first one lies; without a name it is not there."""

    name: str
    at: int = 0


class Segment(Struct, frozen=True):
    """`size` bytes of a mapped device from `start` on; `chunk` in bytes, where the way has chunks."""

    start: int
    size: int
    way: Way
    members: tuple[Member, ...]
    chunk: int = 0
    extra: int = 1


class Stack(Struct, frozen=True):
    """All mapped devices: the segments of each by its name, and the size in bytes of every device."""

    segments: Mapping[str, tuple[Segment, ...]]
    sizes: Mapping[str, int]


class Found(Struct):
    """`places` on devices that nothing lies below; `blind` are those of them below a segment that nobody can tell."""

    places: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    blind: set[str] = field(default_factory=set)


def resolve(stack: Stack, name: str, spans: Iterable[tuple[int, int]]) -> tuple[dict[str, Ranges], frozenset[str]]:
    """Follow parts of a device down to the real ones, and take the ends of every device that carries another.

    :returns: the places on each real device, and the names of those that the way to is not known for.
    """
    found = Found()
    _down(stack, name, list(spans), found)
    return {leaf: Ranges.of(places) for leaf, places in found.places.items()}, frozenset(found.blind)


def ends(size: int) -> Spans:
    """Return the first 256 KiB and the last 128 KiB of a device of `size` bytes."""
    return ((0, min(HEAD, size)), (max(size - TAIL, 0), size))


def _down(stack: Stack, name: str, spans: list[tuple[int, int]], found: Found) -> None:
    if name not in stack.segments:
        found.places[name] += spans
        return
    below: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for segment in stack.segments[name]:
        for member in segment.members:
            if member.name:
                below[member.name] += ends(stack.sizes.get(member.name, 0))
                if segment.way is Way.UNKNOWN:
                    found.blind.update(leaves(stack, member.name))
        for place in _inside(segment, spans):
            below[place[0]].append(place[1:])
    for under, places in below.items():
        _down(stack, under, places, found)


def leaves(stack: Stack, name: str) -> frozenset[str]:
    """Return the real devices below a device; itself if it is one."""
    if name not in stack.segments:
        return frozenset({name})
    under = {member.name for segment in stack.segments[name] for member in segment.members if member.name}
    return frozenset[str]().union(*(leaves(stack, item) for item in under))


def _inside(segment: Segment, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[str, int, int]]:
    """Cut spans to a segment, and map what is left."""
    for start, end in spans:
        first, last = max(start, segment.start), min(end, segment.start + segment.size)
        if first < last and segment.way is not Way.UNKNOWN:
            yield from _WAYS[segment.way](segment, first - segment.start, last - segment.start)


def _each(segment: Segment, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    for member in segment.members:
        if member.name:
            yield member.name, member.at + start, member.at + end


def _chunks(segment: Segment, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Cut a span at chunks: the number of each, and what of it, in bytes from its start."""
    for number in range(start // segment.chunk, -(-end // segment.chunk)):
        base = number * segment.chunk
        yield number, max(start - base, 0), min(end - base, segment.chunk)


def _stripes(segment: Segment, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    count = len(segment.members)
    for number, first, last in _chunks(segment, start, end):
        for copy in range(number * segment.extra, (number + 1) * segment.extra):
            member, base = segment.members[copy % count], copy // count * segment.chunk
            if member.name:
                yield member.name, member.at + base + first, member.at + base + last


def _rows(segment: Segment, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Take the whole row of each chunk: where in it the chunk is depends on the layout, and parity tells of it as well."""
    width = len(segment.members) - segment.extra
    for number, first, last in _chunks(segment, start, end):
        base = number // width * segment.chunk
        for member in segment.members:
            if member.name:
                yield member.name, member.at + base + first, member.at + base + last


_WAYS = {Way.EACH: _each, Way.STRIPES: _stripes, Way.ROWS: _rows}
