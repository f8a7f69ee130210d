"""How hard frames are compressed: the law by itself, and whole savings in simulated time."""

from __future__ import annotations

import random
from copy import deepcopy as copy

import pytest

from khib_tui.image.codec import FRAME, Codec
from khib_tui.image.effort import QUICK, STORE, Flow, Law
from khib_tui.image.family import Cost, pick
from khib_tui.image.stream import PIECE
from khib_tui.model.units import MIB
from tests.kit import pipeline
from tests.kit.pipeline import Always, Processor, Saving

KINDS = ["compressible", "mixed", "incompressible"]
MEDIA = ["fast", "throttled", "jittering"]
REAL = pipeline.REAL_ZSTD, pipeline.REAL_LZ4
EMULATED = pipeline.EMULATED_ZSTD, pipeline.EMULATED_LZ4
FRAMES = 1000


def test_what_waits_raises_the_effort_step_by_step() -> None:
    law = Law(PIECE, 3, known=(0.001, MIB / 2))
    assert [law.choose(step * PIECE, 1e6, 0.0) for step in range(7)] == [0, 1, 2, 3, 3, 3, 3]


def test_a_medium_is_not_left_without_work() -> None:
    law = Law(PIECE, 3, known=(0.02, MIB / 2))
    assert law.choose(5 * PIECE, 1e9, 0.0) == STORE
    assert law.choose(5 * PIECE, 1e8, 0.0) == 2


def test_what_is_read_back_sooner_is_compressed_though_nothing_waits() -> None:
    law = Law(PIECE, 3, threads=2, known=(0.002, MIB / 2))
    assert law.choose(0, 0.0, 300e6) == QUICK
    assert law.choose(0, 0.0, 1500e6) == STORE
    law.learn(3, 0.003, FRAME // 3)
    assert law.choose(0, 0.0, 50e6) == 3


def test_the_least_effort_is_kept() -> None:
    assert Law(PIECE, 2, 1).choose(0, 1e9, 1e9) == 1
    assert Law(PIECE, 0, 0).choose(9 * PIECE, 1e6, 1e6) == 0


def test_a_flow_counts_the_time_in_which_the_medium_had_work() -> None:
    now = [0.0]
    flow = Flow(lambda: now[0])
    for _ in range(8):
        flow.begin()
        now[0] += 0.1
        flow.end(10 * MIB)
        now[0] += 5
    assert flow.average == pytest.approx(100 * MIB)
    assert flow.rate == pytest.approx(100 * MIB)
    flow.begin()
    now[0] += 10
    assert flow.rate < 5 * MIB


def test_what_a_cache_took_faster_than_it_lasts_counts_as_waiting() -> None:
    now = [0.0]
    flow = Flow(lambda: now[0])
    assert not flow.cached
    for flush in (1.0, 0.0):
        flow.begin()
        now[0] += 0.1
        flow.end(100 * MIB)
        if flush:
            began = now[0]
            flow.begin()
            now[0] += flush
            flow.end(0)
            flow.durable(began)
    assert flow.cached == pytest.approx(90 * MIB, rel=0.01)


def both_ways(processor: Processor, left: list[float], kind: str, seed: int, law: Law, threads: int) -> tuple[float, Saving]:
    """Seconds of saving and restoring, and the saving; as a jittering disk jitters otherwise each time, the mean of many."""
    contents = [processor.content(ratio) for ratio in left]
    seeds = [seed, *(range(seed + 100, seed + 107) if kind == "jittering" else ())]
    total = 0.0
    for again in seeds:
        saving = Saving(contents, pipeline.medium(kind, random.Random(again)), copy(law), threads)
        total += saving.seconds() + saving.restoring(pipeline.medium(kind, random.Random(again + 1000 * len(seeds) - 1000)))
    return total / len(seeds), saving


def cost(processor: Processor, left: list[float]) -> Cost:
    """What `family.measure` finds."""
    made = Cost()
    for ratio in left[::80]:
        content = processor.content(ratio)
        made.add(Cost(MIB, content.size[1], content.making[1], content.opening[1]))
    return made


def adaptive(processors: tuple[Processor, Processor], left: list[float], threads: int) -> tuple[Processor, Law]:
    """What `auto` does."""
    costs = {Codec.ZSTD: cost(processors[0], left), Codec.LZ4: cost(processors[1], left)}
    zstd = pick(costs, threads) is Codec.ZSTD
    found = costs[Codec.ZSTD if zstd else Codec.LZ4]
    known = found.compressing / found.content * MIB, found.stored / found.content * MIB
    return processors[0 if zstd else 1], Law(PIECE, 3 if zstd else 1, STORE, threads, known)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("processors", [REAL, EMULATED], ids=["real", "emulated"])
def test_both_ways_within_a_tenth_of_the_best_fixed_codec(
    processors: tuple[Processor, Processor], kind: str, medium: str, seed: int
) -> None:
    left = pipeline.ratios(kind, FRAMES, random.Random(seed))
    zstd, lz4 = processors
    fixed = [(zstd, Always(STORE)), (lz4, Always(1)), (zstd, Always(1)), (zstd, Always(3)), (zstd, Law(PIECE, 3, 1, 2))]
    best = min(both_ways(processor, left, medium, seed, law, 2)[0] for processor, law in fixed)
    processor, law = adaptive(processors, left, 2)
    found, saving = both_ways(processor, left, medium, seed, law, 2)
    assert found <= best * 1.1
    assert saving.stored <= FRAMES * MIB * 1.01


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("threads", [1, 2])
def test_where_the_processors_are_slower_than_the_disk_nothing_is_slower_than_storing(kind: str, threads: int) -> None:
    left = pipeline.ratios(kind, FRAMES, random.Random(1))
    processor, law = adaptive(EMULATED, left, threads)
    found, _ = both_ways(processor, left, "fast", 1, law, threads)
    assert found <= both_ways(processor, left, "fast", 1, Always(STORE), threads)[0] * 1.01


@pytest.mark.parametrize("threads", [1, 8])
@pytest.mark.parametrize("medium", [*MEDIA, "cached"])
@pytest.mark.parametrize("kind", KINDS)
def test_one_processor_and_eight_lose_little(kind: str, medium: str, threads: int) -> None:
    left = pipeline.ratios(kind, FRAMES, random.Random(4))
    zstd, lz4 = REAL
    fixed = [(zstd, Always(STORE)), (lz4, Always(1)), (zstd, Always(1)), (zstd, Law(PIECE, 3, 1, threads))]
    best = min(both_ways(processor, left, medium, 4, law, threads)[0] for processor, law in fixed)
    processor, law = adaptive(REAL, left, threads)
    assert both_ways(processor, left, medium, 4, law, threads)[0] <= best * 1.25
