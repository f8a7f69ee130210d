"""Which codec is picked for which disk and processor."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from khib_tui.formats import vmcore
from khib_tui.image import choose
from khib_tui.image.choose import Speed
from khib_tui.image.codec import Codec
from khib_tui.image.store import Store
from khib_tui.image.writer import Gatherer, parts
from khib_tui.linux.devmem import Mappings, PhysicalMemory
from khib_tui.model.choices import CodecChoice
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB

LAPTOP: dict[Codec, Speed] = {Codec.LZ4: Speed(3e9, 0.5), Codec.ZSTD: Speed(1.6e9, 0.4), Codec.NONE: Speed(9e9, 1.0)}
EMULATED: dict[Codec, Speed] = {Codec.LZ4: Speed(108e6, 0.87), Codec.ZSTD: Speed(45e6, 0.75), Codec.NONE: Speed(400e6, 1.0)}
NOISE: dict[Codec, Speed] = {Codec.LZ4: Speed(3e9, 1.0), Codec.ZSTD: Speed(1.6e9, 0.99), Codec.NONE: Speed(9e9, 1.0)}


@pytest.mark.parametrize(
    ("disk", "speeds", "codec"),
    [
        (30e6, LAPTOP, Codec.ZSTD), (500e6, LAPTOP, Codec.ZSTD), (2e9, LAPTOP, Codec.LZ4), (4e9, LAPTOP, Codec.LZ4),
        (9e9, LAPTOP, Codec.NONE), (30e6, NOISE, Codec.NONE), (6e9, NOISE, Codec.NONE), (200e6, EMULATED, Codec.NONE),
    ],
)  # fmt: skip
def test_the_faster_the_disk_the_less_is_compressed(disk: float, speeds: dict[Codec, Speed], codec: Codec) -> None:
    assert choose.pick(disk, speeds) is codec


@pytest.mark.parametrize("speeds", [LAPTOP, EMULATED])
def test_zstd_is_left_unmeasured_only_where_it_would_not_be_picked(speeds: dict[Codec, Speed]) -> None:
    without: dict[Codec, Speed] = {codec: speeds[codec] for codec in (Codec.LZ4, Codec.NONE)}
    for disk in (3e7 * 1.2**step for step in range(40)):
        if not choose.worth_zstd(disk, speeds[Codec.LZ4]):
            assert choose.pick(disk, without) is choose.pick(disk, speeds)


def test_measuring_tells_what_it_saw_and_leaves_the_choice_of_the_user_alone(tmp_path: Path) -> None:
    memory, target = tmp_path / "memory", tmp_path / "target"
    memory.write_bytes(b"khib" * (8 * MIB // 4))
    target.write_bytes(b"")
    placed = vmcore.place([vmcore.MemoryRun(0, 8 * MIB, 8 * MIB)], 0)
    head = vmcore.header(placed, b"", 0)
    windows = Mappings(PhysicalMemory(memory), Ranges.of([(0, 8 * MIB)]))
    with Store(target, writable=True) as store:
        codec, why = choose.choose(CodecChoice.AUTO, Gatherer(windows), parts(head, placed), 9, store)
        assert codec in Codec and re.fullmatch(
            r"disk [\d.]+ \w+/s; none [\d.]+ \w+/s, lz4 [\d.]+ \w+/s(, zstd [\d.]+ \w+/s)?", why
        )
        assert choose.choose(CodecChoice.NONE, Gatherer(windows), parts(head, placed), 9, store)[0] is Codec.NONE
    windows.close()
