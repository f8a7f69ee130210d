"""An image in ranges of a device: it reads back what was written, and nothing else of the device is touched."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from khib_tui.errors import ImageError
from khib_tui.image import header as headers
from khib_tui.image import ranges
from khib_tui.image.header import Header, State
from khib_tui.image.ranges import LEAST_FIRST, MAP_SIZE, Ranged
from khib_tui.image.store import BLOCK, Store
from khib_tui.image.stream import Stream
from khib_tui.model.ranges import Spans
from khib_tui.model.units import MIB

DEVICE = 24 * MIB
ODD = 20 * MIB + 512
SPANS: Spans = ((8 * MIB, 13 * MIB), (MIB + BLOCK, MIB + 3 * BLOCK), (4 * MIB, 6 * MIB), (ODD, ODD + BLOCK))
FIRST = (0, LEAST_FIRST)
MANY = tuple((8 * MIB + 2 * at * BLOCK, 8 * MIB + (2 * at + 1) * BLOCK) for at in range(ranges.MOST))
CAPACITY = sum(end - start for start, end in SPANS) - MAP_SIZE


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """A device full of noise."""
    path = tmp_path / "device"
    path.write_bytes(random.Random(1).randbytes(DEVICE))
    return path


def outside(path: Path, spans: Spans = SPANS) -> bytes:
    """All of a device but the ranges."""
    data = bytearray(path.read_bytes())
    for start, end in spans:
        data[start:end] = bytes(end - start)
    return bytes(data)


def test_what_is_written_reads_back_and_nothing_else_changes(device: Path) -> None:
    noise, before = random.Random(2), outside(device)
    whole = bytearray(CAPACITY)
    with Ranged(device, SPANS, writable=True) as store:
        store.write(0, bytes(whole))
        for _ in range(60):
            at = noise.randrange(CAPACITY // BLOCK) * BLOCK
            data = noise.randbytes(noise.randrange(1, min(3 * MIB, CAPACITY - at) + 1))
            store.write(at, data)
            padded = data.ljust(-(-len(data) // BLOCK) * BLOCK, b"\0")
            whole[at : at + len(padded)] = padded
        for _ in range(60):
            at = noise.randrange(CAPACITY)
            count = noise.randrange(1, CAPACITY - at + 1)
            assert store.read(at, count) == whole[at : at + count]
        assert store.capacity == store.room == CAPACITY
    assert outside(device) == before
    first = device.read_bytes()[8 * MIB : 8 * MIB + MAP_SIZE]
    assert first == random.Random(1).randbytes(DEVICE)[8 * MIB : 8 * MIB + MAP_SIZE]


def test_writing_and_reading_end_with_the_ranges(device: Path) -> None:
    before = outside(device)
    with Ranged(device, SPANS, writable=True) as store:
        with pytest.raises(OSError, match="No space"):
            store.write(CAPACITY - BLOCK, bytes(2 * BLOCK))
        with pytest.raises(ImageError, match="ends at byte"):
            store.read(CAPACITY - 10, 20)
        stream = Stream(store, 0)
        with pytest.raises(OSError, match="No space"):
            for _ in range(CAPACITY // MIB + 2):
                stream.append(bytes(MIB))
            stream.finish()
        stream.close()
    assert outside(device) == before


def test_the_first_range_alone_leads_to_the_image(device: Path) -> None:
    header = Header("aa" * 16, State.PARTIAL, 0)
    with Ranged(device, SPANS, writable=True) as store:
        store.write_map()
        headers.clear_gaps(store)
        headers.advance(store, headers.write(store, header), State.COMPLETE, setup_id="0123456789abcdef")
    assert ranges.found_at(device, SPANS[0][0]) == SPANS
    with Ranged(device, ranges.found_at(device, SPANS[0][0])) as store:
        found = headers.read(store)
        headers.refuse_damage(store)
    assert found and found.state is State.COMPLETE
    sector = ranges.first_sector(SPANS)
    with Store(device) as plain:
        assert plain.read(sector * 512, 8) == headers.MAGIC
        assert b"khib_resume=0123456789abcdef" in plain.read((sector + 8) * 512, 512)


def test_a_map_that_is_damaged_or_of_another_place_leads_nowhere(device: Path) -> None:
    packed = ranges.pack(SPANS)
    assert ranges.unpack(packed) == SPANS and len(packed) == MAP_SIZE and ranges.is_map(packed)
    used = 48 + 16 * len(SPANS)
    for at in range(used):
        broken = bytearray(packed)
        broken[at] ^= 1
        if at not in range(12, 16):  # between count and digest nothing is kept
            with pytest.raises(ImageError):
                ranges.unpack(bytes(broken))
    with device.open("r+b") as stream:
        stream.seek(16 * MIB)
        stream.write(packed)
    with pytest.raises(ImageError, match="another place"):
        ranges.found_at(device, 16 * MIB)
    with pytest.raises(ImageError, match="no map"):
        ranges.found_at(device, 4 * MIB)


@pytest.mark.parametrize(
    "spans",
    [
        (), ((0, LEAST_FIRST - BLOCK),), ((0, LEAST_FIRST + 1),), ((1, LEAST_FIRST + 1),), (FIRST, (BLOCK, 2 * BLOCK)),
        (FIRST, (8 * MIB, 8 * MIB)), (FIRST, (9 * MIB, 8 * MIB)), (FIRST, *MANY),
    ],
    ids=["none", "short", "part of a block", "odd start", "overlap", "empty", "backwards", "too many"],
)  # fmt: skip
def test_unsound_ranges_are_never_written_to(device: Path, spans: Spans) -> None:
    with pytest.raises(ImageError) as caught:
        Ranged(device, spans, writable=True)
    assert caught.value.ident == "HIB-E-MAP"


def test_a_manifest_tells_ranges_apart() -> None:
    assert ranges.digest(()) == "" and ranges.digest(SPANS) != ranges.digest(SPANS[:-1])
