"""A medium that is written by threads of its own."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from khib_tui.image import stream as stream_module
from khib_tui.image.store import BLOCK, Store
from khib_tui.image.stream import PIECE, PIECES, WRITERS, Stream
from khib_tui.linux.buffers import Buffer
from khib_tui.model.units import MIB


class Waiting(Store):
    """A medium that takes nothing before it may."""

    go = threading.Event()

    def write_buffer(self, offset: int, buffer: Buffer, count: int) -> None:
        assert self.go.wait(20)
        super().write_buffer(offset, buffer, count)


def test_what_waits_is_what_the_medium_is_not_given_yet(target: Path) -> None:
    with Waiting(target, writable=True) as store:
        stream = Stream(store, 0)
        assert not stream.waiting and stream.rates == (0, 0)
        stream.append(bytes((WRITERS + 2) * PIECE + 5))
        assert stream.waiting in range(2 * PIECE, (WRITERS + 3) * PIECE)
        store.go.set()
        assert stream.finish() == (WRITERS + 2) * PIECE + BLOCK
        assert not stream.waiting and stream.rates[0] > 0


def test_places_are_filled_in_any_order_and_written_where_they_belong(target: Path) -> None:
    noise = random.Random(3)
    with Store(target, writable=True) as store:
        stream = Stream(store, BLOCK)
        given = [(stream.reserve(count), noise.randbytes(count)) for count in (PIECE - 3, 7, 900_001, PIECE)]
        for places, data in reversed(given):
            at = 0
            for place in places:
                place.view[:] = data[at : at + place.count]
                at += place.count
            stream.fill(places)
        end = stream.finish()
        whole = b"".join(data for _, data in given)
        assert store.read(BLOCK, end - BLOCK) == whole.ljust(end - BLOCK, b"\0")


@pytest.mark.parametrize("pieces", [1, PIECES + 2])
def test_a_writer_that_died_is_noticed(target: Path, monkeypatch: pytest.MonkeyPatch, pieces: int) -> None:
    monkeypatch.setattr(stream_module, "_LOOK", 0.01)
    monkeypatch.setattr(Stream, "_write", lambda self: None)
    with Store(target, writable=True) as store:
        stream = Stream(store, 0)
        with pytest.raises(OSError, match="has died"):
            stream.append(bytes(pieces * PIECE))
            stream.finish()
        stream.close()


def test_nobody_waits_for_room_that_will_not_come(target: Path) -> None:
    with Store(target, writable=True) as store:
        stream = Stream(store, 0)
        stream.reserve(PIECES * PIECE)
        stream.give_up()
        with pytest.raises(RuntimeError, match="gave up"):
            stream.reserve(1)
        stream.close()


def test_what_a_cache_has_taken_is_made_durable_on_the_way(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Counting(Store):
        flushed = 0

        def flush(self) -> None:
            self.flushed += 1
            if self.flushed == 2:
                raise OSError("the cache could not be written")

    monkeypatch.setattr(stream_module, "FLUSH_SECONDS", 0)
    monkeypatch.setattr(stream_module, "FLUSH_BYTES", 8 * MIB)
    monkeypatch.setattr(stream_module, "FIRST_FLUSH", 8 * MIB)
    with Counting(target, writable=True) as store:
        stream = Stream(store, 0)
        stream.append(bytes(12 * MIB))
        with pytest.raises(OSError, match="could not be written"):
            stream.append(bytes(64 * MIB))
            stream.finish()
        stream.close()
        assert store.flushed == 2
