"""The codec that makes the image soonest complete: disk and processor are measured on a sample, in less than a second."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from math import inf
from typing import TypeVar

from msgspec import Struct

from khib_tui.image.codec import Codec
from khib_tui.image.header import PAYLOAD_OFFSET
from khib_tui.image.store import BUFFER, Store
from khib_tui.image.threads import together, workers
from khib_tui.image.writer import Gatherer, Maker, Part
from khib_tui.linux.buffers import Buffer
from khib_tui.model.choices import CodecChoice
from khib_tui.model.units import size

SAMPLES = 12
SECONDS = 0.1
_DISK_BUFFERS, _DISK_THREADS = 16, 2
# How much slower a codec may be before its smaller image no longer pays.
_ZSTD_PATIENCE, _LZ4_PATIENCE = 1.1, 1.25
_INCOMPRESSIBLE = 0.97

T = TypeVar("T")


class Speed(Struct, frozen=True):
    """What was measured: content bytes a second on all processors, and stored bytes for each content byte."""

    rate: float
    ratio: float

    def seconds(self, disk: float) -> float:
        """Seconds for each content byte, to save it and to read it back; of processor and disk the slower one counts.

        Decompressing is faster than any disk, and reading is taken to be as fast as writing.
        """
        return max(1 / self.rate, self.ratio / disk) + self.ratio / disk


def measure_codec(maker: Maker, samples: Sequence[Part]) -> Speed:
    """Make frames of samples for a while, as they are made for the image."""
    made: list[tuple[int, int]] = []
    started = time.perf_counter()

    def make(part: Part) -> tuple[int, int]:
        stored, raw, _ = maker.make(part)
        return raw, len(stored)

    together(make, for_a_while(samples), workers(), made.append)
    raw, stored = sum(pair[0] for pair in made), sum(pair[1] for pair in made)
    return Speed(raw / (time.perf_counter() - started), stored / raw)


def measure_disk(store: Store) -> float:
    """Write noise where the payload will be; gives bytes a second.

    :raises OSError: as the medium says.
    """
    noise = Buffer(BUFFER)
    noise.put(0, os.urandom(BUFFER))
    written: list[int] = []
    started = time.perf_counter()

    def write(number: int) -> int:
        store.write_buffer(PAYLOAD_OFFSET + number * BUFFER, noise, BUFFER)
        return BUFFER

    together(write, for_a_while(range(_DISK_BUFFERS)), _DISK_THREADS, written.append)
    store.flush()
    return sum(written) / (time.perf_counter() - started)


def for_a_while(items: Iterable[T]) -> Iterator[T]:
    """Yield items until time is over, but at least one."""
    end = time.perf_counter() + SECONDS
    for item in items:
        yield item
        if time.perf_counter() > end:
            return


def worth_zstd(disk: float, lz4: Speed) -> bool:
    """Return whether zstd could be faster than LZ4: not where LZ4 waits for the processor, of which zstd needs more."""
    return lz4.rate * lz4.ratio > disk


def pick(disk: float, speeds: Mapping[Codec, Speed]) -> Codec:
    """Decide. zstd makes the smallest image; no compression costs the processor least, and is worth it on a fast disk.

    :param speeds: of LZ4 and of no compression, and of zstd if that is worth it.
    """
    if all(speed.ratio > _INCOMPRESSIBLE for codec, speed in speeds.items() if codec is not Codec.NONE):
        return Codec.NONE
    seconds = {codec: speed.seconds(disk) for codec, speed in speeds.items()}
    lz4, none, zstd = seconds[Codec.LZ4], seconds[Codec.NONE], seconds.get(Codec.ZSTD, inf)
    if zstd <= _ZSTD_PATIENCE * lz4 and zstd <= _LZ4_PATIENCE * none:
        return Codec.ZSTD
    return Codec.LZ4 if lz4 <= _LZ4_PATIENCE * none else Codec.NONE


def choose(choice: CodecChoice, gatherer: Gatherer, given: Iterator[Part], count: int, store: Store) -> tuple[Codec, str]:
    """Return the codec to use, and why.

    :param given: the parts of the payload, `count` of them; some are the sample.
    """
    if choice is not CodecChoice.AUTO:
        return Codec(choice.value), "as chosen"
    if store.room < PAYLOAD_OFFSET + _DISK_BUFFERS * BUFFER:
        return Codec.LZ4, "the target is too small to measure it"
    samples = list(islice(given, 0, None, max(count // SAMPLES, 1)))
    for part in samples:
        # what is mapped for the first codec is there for the next
        gatherer.filled(part)
    disk = measure_disk(store)
    speeds = {codec: measure_codec(Maker(gatherer, codec), samples) for codec in (Codec.NONE, Codec.LZ4)}
    if worth_zstd(disk, speeds[Codec.LZ4]):
        speeds[Codec.ZSTD] = measure_codec(Maker(gatherer, Codec.ZSTD), samples)
    told = ", ".join(f"{codec} {size(speed.rate)}/s" for codec, speed in speeds.items())
    return pick(disk, speeds), f"disk {size(disk)}/s; {told}"
