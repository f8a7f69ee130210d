"""Bytes of a mapped device, in their order, down to the one place on a real disk that holds each: for what is written there.

Where `stack.resolve` finds all places that tell something, this finds the only one, or refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from khib_tui.i18n import _
from khib_tui.prints.stack import Segment, Stack, Way

Place = tuple[str, int, int]
"""Kernel name of a real device, first byte, end."""


class Unmapped(Exception):
    """Bytes that lie in several places, in none, or where nobody can tell."""


def follow(stack: Stack, name: str, spans: Iterable[tuple[int, int]]) -> list[Place]:
    """Follow spans of a device down to real ones; what lies side by side there is one place.

    :raises Unmapped: one of them does not lie in just one place.
    """
    joined: list[Place] = []
    for span in spans:
        for leaf, start, end in _down(stack, name, *span):
            if joined and joined[-1][0] == leaf and joined[-1][2] == start:
                joined[-1] = (leaf, joined[-1][1], end)
            else:
                joined.append((leaf, start, end))
    return joined


def _down(stack: Stack, name: str, start: int, end: int) -> Iterator[Place]:
    if name not in stack.segments:
        if not 0 <= start < end <= stack.sizes.get(name, 0):
            raise Unmapped(_("{name} has no bytes {start} to {end}").format(name=name, start=start, end=end))
        yield name, start, end
        return
    while start < end:
        segment = _segment_at(stack.segments[name], start, name)
        under, at, count = _single(segment, start - segment.start)
        count = min(count, end - start, segment.start + segment.size - start)
        yield from _down(stack, under, at, at + count)
        start += count


def _segment_at(segments: tuple[Segment, ...], byte: int, name: str) -> Segment:
    found = [segment for segment in segments if segment.start <= byte < segment.start + segment.size]
    if len(found) != 1:
        raise Unmapped(_("byte {byte} of {name} lies in {count} places").format(byte=byte, name=name, count=len(found)))
    return found[0]


def _single(segment: Segment, byte: int) -> Place:
    """Return member, place and how many bytes from there on lie side by side (as far as the way of the segment tells)."""
    members = segment.members
    if segment.way is Way.EACH and len(members) == 1:
        return members[0].name, members[0].at + byte, segment.size - byte
    if segment.way is Way.STRIPES and segment.extra == 1 and segment.chunk:
        number, inside = divmod(byte, segment.chunk)
        member = members[number % len(members)]
        return member.name, member.at + number // len(members) * segment.chunk + inside, segment.chunk - inside
    raise Unmapped(_("what lies below is {way} of {count} devices").format(way=segment.way, count=len(members)))
