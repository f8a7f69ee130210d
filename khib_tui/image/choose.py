"""The codec that makes the image soonest complete: disk and processor are measured on a sample, in less than a second."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from khib_tui.image.codec import Codec, CodecChoice, compress
from khib_tui.image.header import PAYLOAD_OFFSET
from khib_tui.image.pipeline import workers
from khib_tui.image.store import BUFFER, Store, Stream
from khib_tui.image.writer import Gatherer, Part
from khib_tui.units import size

SAMPLES = 12
SECONDS = 0.2
_DISK_BUFFERS = 16
# Above this share of its size, content is not worth compressing.
_INCOMPRESSIBLE = 0.97
# A smaller image may cost so much more time.
_PATIENCE = 1.1


@dataclass(frozen=True)
class Speed:
    """What was measured: content bytes a second on all processors, and stored bytes for each content byte."""

    rate: float
    ratio: float

    def seconds(self, disk: float) -> float:
        """Seconds for each content byte, where the slower of processor and disk counts."""
        return max(1 / self.rate, self.ratio / disk)


def measure_codec(codec: Codec, samples: Sequence[bytes]) -> Speed:
    """Compress samples for a while, on one processor."""
    started = time.perf_counter()
    raw = stored = 0
    for sample in samples:
        stored += len(compress(codec, sample))
        raw += len(sample)
        if time.perf_counter() - started > SECONDS:
            break
    return Speed(raw / (time.perf_counter() - started) * workers(), stored / raw)


def measure_disk(store: Store) -> float:
    """Write noise where the payload will be; gives bytes a second.

    :raises OSError: as the medium says.
    """
    noise = os.urandom(BUFFER)
    stream = Stream(store, PAYLOAD_OFFSET)
    started = time.perf_counter()
    written = 0
    try:
        while written < _DISK_BUFFERS and time.perf_counter() - started < SECONDS:
            stream.append(noise)
            written += 1
        stream.finish()
    finally:
        stream.close()
    store.flush()
    return written * BUFFER / (time.perf_counter() - started)


def pick(disk: float, lz4: Speed, zstd: Speed) -> Codec:
    """Decide. zstd makes the smaller image, lz4 costs the processor less."""
    if zstd.ratio > _INCOMPRESSIBLE:
        return Codec.NONE
    return Codec.ZSTD if zstd.seconds(disk) <= _PATIENCE * lz4.seconds(disk) else Codec.LZ4


def choose(choice: CodecChoice, gatherer: Gatherer, given: Iterator[Part], count: int, store: Store) -> tuple[Codec, str]:
    """Give the codec to use, and why.

    :param given: the parts of the payload, `count` of them; some are the sample.
    """
    if choice is not CodecChoice.AUTO:
        return Codec(choice.value), "as chosen"
    if store.room < PAYLOAD_OFFSET + _DISK_BUFFERS * BUFFER:
        return Codec.LZ4, "the target is too small to measure it"
    samples = [bytes(gatherer.gather(part)) for part in islice(given, 0, None, max(count // SAMPLES, 1))]
    lz4, zstd = measure_codec(Codec.LZ4, samples), measure_codec(Codec.ZSTD, samples)
    disk = measure_disk(store)
    why = f"the disk takes {size(disk)}/s, lz4 makes {size(lz4.rate)}/s, zstd {size(zstd.rate)}/s"
    return pick(disk, lz4, zstd), why
