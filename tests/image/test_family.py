"""Whether frames are zstd's or LZ4's, by what processors and memory are like."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from khib_tui.formats import vmcore
from khib_tui.image import family
from khib_tui.image.codec import Codec
from khib_tui.image.family import Cost, Costs
from khib_tui.image.parts import Gatherer, parts
from khib_tui.linux.devmem import Mappings, PhysicalMemory
from khib_tui.model.choices import CodecChoice
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB


def cost(ratio: float, packing: float, opening: float) -> Cost:
    """A codec's cost by its speeds on one processor, in MB/s."""
    return Cost(10**6, int(ratio * 10**6), 1 / packing, 1 / opening)


REAL: Costs = {Codec.ZSTD: cost(0.466, 573, 1751), Codec.LZ4: cost(0.532, 600, 3000)}
NOISE: Costs = {Codec.ZSTD: cost(1.0, 2000, 9000), Codec.LZ4: cost(1.0, 4000, 9000)}
SLOW_TO_OPEN: Costs = {Codec.ZSTD: cost(0.466, 573, 150), Codec.LZ4: cost(0.532, 600, 3000)}
EMULATED: Costs = {Codec.ZSTD: cost(0.75, 22, 60), Codec.LZ4: cost(0.87, 54, 300)}


# a guest of the lab whose memory hardly shrinks
BARELY: Costs = {Codec.ZSTD: cost(0.82, 102, 104), Codec.LZ4: cost(0.84, 112, 984)}


@pytest.mark.parametrize("threads", [1, 2, 8])
@pytest.mark.parametrize(
    ("costs", "codec"),
    [(REAL, Codec.ZSTD), (NOISE, Codec.LZ4), (SLOW_TO_OPEN, Codec.LZ4), (EMULATED, Codec.LZ4), (BARELY, Codec.LZ4)],
)
def test_zstd_unless_it_takes_longer_both_ways(costs: Costs, codec: Codec, threads: int) -> None:
    if (costs, threads) != (EMULATED, 8):  # eight emulated processors are fast enough for zstd on a slow disk
        assert family.pick(costs, threads) is codec


def test_both_ways_are_bound_by_medium_or_processor() -> None:
    real = REAL[Codec.ZSTD]
    assert real.both_ways(10e6, 2) == pytest.approx(2 * 0.466 / 10e6)
    assert real.both_ways(1e12, 2) == pytest.approx(2 / 1e12, rel=0.01)
    mixed = real.both_ways(1300e6, 2)
    assert 2 * 0.466 / 1300e6 < mixed < 2 / 1300e6


def test_measuring_tells_what_it_saw_and_leaves_the_choice_of_the_user_alone(tmp_path: Path) -> None:
    memory = tmp_path / "memory"
    memory.write_bytes(b"khib" * (8 * MIB // 4))
    placed = vmcore.place([vmcore.MemoryRun(0, 8 * MIB, 8 * MIB)], 0)
    head = vmcore.header(placed, b"", 0)
    windows = Mappings(PhysicalMemory(memory), Ranges.of([(0, 8 * MIB)]))
    chosen = family.choose(CodecChoice.AUTO, Gatherer(windows), parts(head, placed), 9)
    assert chosen.codec in (Codec.LZ4, Codec.ZSTD) and chosen.least == 0 and chosen.known and chosen.known[1] < MIB
    assert re.fullmatch(r"by the frame; on one processor zstd [\d.]+ \w+/s to \d+%, back [\d.]+ \w+/s, lz4 .*", chosen.why)
    fixed = family.choose(CodecChoice.NONE, Gatherer(windows), parts(head, placed), 9)
    assert (fixed.codec, fixed.why) == (Codec.NONE, "as chosen")
    windows.close()
