"""Which codec is picked for which disk and processor."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from khib_tui.errors import ImageError
from khib_tui.formats import vmcore
from khib_tui.image import choose, threads
from khib_tui.image.choose import Speed
from khib_tui.image.codec import Codec
from khib_tui.image.store import Store
from khib_tui.image.threads import InOrder, together
from khib_tui.image.writer import Gatherer, parts
from khib_tui.linux.buffers import Buffer
from khib_tui.linux.devmem import Mappings, PhysicalMemory
from khib_tui.model.choices import CodecChoice
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import KIB, MIB, PAGE

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
        assert codec in Codec and "the disk takes" in why and "lz4" in why
        assert choose.choose(CodecChoice.NONE, Gatherer(windows), parts(head, placed), 9, store)[0] is Codec.NONE
    windows.close()


@pytest.mark.parametrize("count", [1, 1000, 64 * 1024, 300_001])
def test_a_buffer_takes_what_fits_and_nothing_else(count: int) -> None:
    source, buffer = memoryview(bytes(number % 251 for number in range(count + 7))), Buffer(512 * KIB)
    buffer.put(5, source[7:])
    assert bytes(buffer.view[: count + 25]) == bytes(5) + bytes(source[7:]) + bytes(20)
    assert buffer.address % PAGE == 0
    for at in (-1, 512 * KIB - count + 1):
        with pytest.raises(ValueError, match="do not fit"):
            buffer.put(at, source[7:])


@pytest.mark.parametrize(("cpus", "memory", "count"), [(2, 100, 2), (16, 1000, 8), (16, 80, 6), (4, 30, 1), (1, 1000, 1)])
def test_there_are_as_many_threads_as_processors_and_memory_allow(
    monkeypatch: pytest.MonkeyPatch, cpus: int, memory: int, count: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cpus)))
    monkeypatch.setattr(threads, "available", lambda: memory * MIB)
    assert threads.workers() == count


def test_the_available_memory_is_read_or_not_known(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:   2048 kB\n")
    assert threads.available(tmp_path / "meminfo") == 2 * MIB
    assert threads.available(tmp_path / "none") > 1 << 60
    assert MIB < threads.available() < 1 << 60


def test_threads_work_together_and_the_first_failure_ends_all() -> None:
    done: list[int] = []
    together(lambda item: item * item, range(1000), 7, done.append)
    assert sorted(done) == [number**2 for number in range(1000)]
    order = InOrder(done.append, 3)
    done.clear()

    def work(number: int) -> int:
        order.wait(number)
        if number == 50:
            raise ImageError("the fiftieth")
        order.give(number, number)
        return number

    with pytest.raises(ImageError, match="the fiftieth"):
        together(work, range(1000), 7, lambda _: None, order.give_up)
    assert done == list(range(50))
