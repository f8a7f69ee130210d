"""The list by which A's kernel swapped the region's pages (struct kimage, kernel/kexec_core.c).

Its head is kept in the control page, which the jump back entry points into: at a fixed place up to Linux 6.13, in the
data of relocate_kernel after. Instead of knowing where, every word of that page that could be it is followed, and the one
that describes exactly the region is it.
"""

from __future__ import annotations

import struct
from array import array

from khib_tui.i18n import _
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import PAGE
from khib_tui.pagefilter.view import NOWHERE, Doubt, Reader, Shadows, Swapped, doubting

_DESTINATION, _INDIRECTION, _DONE, _SOURCE = 1, 2, 4, 8
_FLAGS = PAGE - 1
_LOW_NIBBLE = bytes(range(16)) * 16


@doubting()
def shadows(memory: Reader, entry: int, region: Ranges, ram: Ranges) -> Shadows:
    """Read where the region's pages are.

    :param memory: physical memory after the jump.
    :param entry: the jump back entry (physical).
    :param region: all pages of B's segments.
    :param ram: A's RAM.
    :raises Doubt: no word of the control page leads to a list of exactly the region.
    """
    outside = ram - region
    words = struct.unpack("<512Q", memory.read(entry // PAGE * PAGE, PAGE))
    for word in dict.fromkeys(words):
        if word & _FLAGS == _INDIRECTION and outside.covers(_page(word)):
            found = _follow(memory, word, region, outside)
            if found is not None:
                return found
    raise Doubt(_("the list of swapped pages was not found in the control page"))


def _page(word: int) -> Ranges:
    start = word & ~_FLAGS
    return Ranges(((start, start + PAGE),))


def _follow(memory: Reader, head: int, region: Ranges, outside: Ranges) -> Shadows | None:
    pairs = _pairs(memory, head, region.total // PAGE, outside)
    if pairs is None:
        return None
    found = Shadows(tuple(_runs(*pairs)))
    sources = [source for target, source in zip(*pairs, strict=True) if source != target]
    distinct = len(set(sources)) == len(sources)
    if not distinct or found.region != region or not outside.covers(found.sources):
        return None
    return found


def _pairs(memory: Reader, head: int, limit: int, outside: Ranges) -> tuple[array[int], array[int]] | None:
    """Follow a list of at most `limit` pages; None if it is none."""
    targets, sources = array("Q"), array("Q")
    target = 0
    chain = [head]
    while chain:
        page = _page(chain.pop())
        if not outside.covers(page):
            return None
        data = memory.read(page.spans[0][0], PAGE)
        words = array("Q", data)
        at, before = 0, len(targets)
        while at < len(words):
            count = _sources(data, at)
            if len(targets) + count > limit:
                return None
            targets.extend(range(target, target + count * PAGE, PAGE))
            sources.extend([word - _SOURCE for word in words[at : at + count]])
            target, at = target + count * PAGE, at + count
            kind = words[at] & _FLAGS if at < len(words) else 0
            if kind == _DONE:
                return targets, sources
            if kind == _INDIRECTION and len(targets) > before:  # each page of a list has some, so none leads round for ever
                chain.append(words[at])
                break
            if kind != _DESTINATION:
                return None
            target, at = words[at] - _DESTINATION, at + 1
    return None


def _sources(data: bytes, at: int) -> int:
    """Return how many words from `at` on are sources, looking at the bytes their flags are in."""
    low, high = data[8 * at :: 8], data[8 * at + 1 :: 8].translate(_LOW_NIBBLE)
    count = len(low) - len(low.lstrip(bytes((_SOURCE,))))
    return count - len(high[:count].lstrip(b"\0"))


def _runs(targets: array[int], sources: array[int]) -> list[Swapped]:
    """Join neighbours. A page that B was loaded into in place was free in A."""
    runs: list[Swapped] = []
    begin = end = shift = 0
    for target, source in sorted(zip(targets, sources, strict=True)):
        if target != end or source - target != shift:
            if end > begin:
                runs.append(_run(begin, end, shift))
            begin, shift = target, source - target
        end = target + PAGE
    return [*runs, _run(begin, end, shift)] if end > begin else runs


def _run(begin: int, end: int, shift: int) -> Swapped:
    return Swapped(begin, begin + shift if shift else NOWHERE, end - begin)
