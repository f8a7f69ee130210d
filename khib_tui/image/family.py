"""Whether an image's frames are zstd's or LZ4's: what makes both ways shortest with these processors and this memory.

Which frames are compressed, and how hard, is chosen frame by frame (`image/effort`), so only the kind is chosen beforehand, and
the medium's speed need not be known. zstd makes smaller frames, and on most processors restores faster than any disk reads;
where it does not, as on emulated ones, LZ4 is chosen.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from msgspec import Struct

from khib_tui.i18n import _
from khib_tui.image.codec import Codec, compress, decompress
from khib_tui.image.effort import QUICK, STORE
from khib_tui.image.parts import Gatherer, Part
from khib_tui.image.threads import together, workers
from khib_tui.model.choices import CodecChoice
from khib_tui.model.units import KIB, MIB, size

# Media for which both ways are compared, in bytes a second.
MEDIA = (100e6, 300e6, 1e9, 3e9)
_WORTH_IT = 0.98
SAMPLES, PIECE = 12, 128 * KIB
# After so many seconds no more samples are taken.
SECONDS = 0.1


class Cost(Struct):
    """What was measured of a codec: content bytes, stored bytes, seconds of one processor to compress and to decompress.

    `passed` are the seconds by the clock for both: more, where something else runs.
    """

    content: int = 0
    stored: int = 0
    compressing: float = 0.0
    decompressing: float = 0.0
    passed: float = 0.0

    def add(self, other: Cost) -> None:
        """Add what was measured of another sample."""
        self.content += other.content
        self.stored += other.stored
        self.compressing += other.compressing
        self.decompressing += other.decompressing
        self.passed += other.passed

    def both_ways(self, rate: float, threads: int) -> float:
        """Return the seconds for each content byte, to save and to restore, with as much compressed as there is time for.

        :param rate: bytes a second that the medium takes and gives.
        """
        ratio = self.stored / self.content
        packing, opening = self.compressing / self.content / threads, self.decompressing / self.content / threads
        share = min(1.0, 1 / rate / (packing + (1 - ratio) / rate)) if ratio < 1 else 0.0
        medium = (1 - share * (1 - ratio)) / rate
        return max(share * packing, medium) + max(share * opening, medium)


Costs = dict[Codec, Cost]


def pick(costs: Costs, threads: int) -> Codec:
    """Return the codec that both ways are shorter with over all media; zstd only if that is worth its slower opening."""
    zstd, lz4 = costs[Codec.ZSTD], costs[Codec.LZ4]
    compared = sum(zstd.both_ways(rate, threads) / lz4.both_ways(rate, threads) for rate in MEDIA)
    return Codec.ZSTD if compared < len(MEDIA) * _WORTH_IT else Codec.LZ4


def measure(gatherer: Gatherer, samples: Sequence[Part]) -> Costs:
    """Compress and decompress pieces of the samples with both codecs, on all processors."""
    costs: Costs = {Codec.ZSTD: Cost(), Codec.LZ4: Cost()}

    def work(part: Part) -> Costs:
        buffer, count = gatherer.filled(part)
        start = max(count - PIECE, 0) // 2
        return {codec: measured(codec, buffer.view[start : min(start + PIECE, count)]) for codec in costs}

    def add(found: Costs) -> None:
        for codec, cost in found.items():
            costs[codec].add(cost)

    together(work, for_a_while(samples), workers(), add)
    return costs


def measured(codec: Codec, data: memoryview) -> Cost:
    """Measure one piece: the quicker of two turns, as the first prepares the codec, in this thread's own time."""
    stored = b""
    turns: list[tuple[float, float]] = []
    started = time.perf_counter()
    for _turn in range(2):
        began = time.thread_time()
        stored = compress(codec, data)
        packed = time.thread_time()
        decompress(codec, memoryview(stored), len(data))
        turns.append((packed - began, time.thread_time() - packed))
    passed = (time.perf_counter() - started) / len(turns)
    packing, opening = min(turn[0] for turn in turns), min(turn[1] for turn in turns)
    return Cost(len(data), len(stored), packing, opening, passed)


def for_a_while(samples: Iterable[Part]) -> Iterator[Part]:
    """Yield samples until time is over, but at least one."""
    end = time.perf_counter() + SECONDS
    for part in samples:
        yield part
        if time.perf_counter() > end:
            return


class Chosen(Struct, frozen=True):
    """The codec, the least effort, why, and what is known of the effort `QUICK`: seconds for a frame, and its stored bytes."""

    codec: Codec
    least: int
    why: str
    known: tuple[float, float] | None = None


def choose(choice: CodecChoice, gatherer: Gatherer, given: Iterator[Part], count: int) -> Chosen:
    """Return how frames are made.

    :param given: the parts of the payload, `count` of them; some are the sample.
    """
    if choice is not CodecChoice.AUTO:
        return Chosen(Codec(choice.value), QUICK, _("as chosen"))
    costs = measure(gatherer, list(islice(given, 0, None, max(count // SAMPLES, 1))))
    codec = pick(costs, workers())
    told = ", ".join(
        _("{kind} {rate}/s to {stored:.0%}, back {back}/s").format(
            kind=kind,
            rate=size(cost.content / cost.compressing),
            stored=cost.stored / cost.content,
            back=size(cost.content / cost.decompressing),
        )
        for kind, cost in costs.items()
    )
    cost = costs[codec]
    known = max(cost.compressing, cost.passed - cost.decompressing) / cost.content * MIB, cost.stored / cost.content * MIB
    return Chosen(codec, STORE, _("by the frame; on one processor {told}").format(told=told), known)
