"""Appending to a store: large aligned writes, carried out by threads of their own, of pieces that are filled side by side."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Sequence
from queue import Empty, SimpleQueue

from msgspec import Struct

from khib_tui.image.effort import Flow
from khib_tui.image.store import BLOCK, Store
from khib_tui.linux.buffers import Buffer
from khib_tui.model.units import MIB

PIECE = 2 * MIB
PIECES = 7
WRITERS = 2
# What a medium's own cache has taken is made durable so often, at least so much at once: else a fast cache passes for a
# fast medium, and all is waited for at the end.
FLUSH_SECONDS, FLUSH_BYTES = 0.5, 64 * MIB
# At first it is so much, for there to be a measure, and more each time.
FIRST_FLUSH = 32 * MIB
# Seconds between looks at whether a thread that writes has died.
_LOOK = 0.5


class Piece(Struct, eq=False):
    """A buffer, where it goes, how many of its bytes are given away, and how many are filled."""

    buffer: Buffer
    offset: int
    given: int = 0
    filled: int = 0


class Place(Struct, frozen=True):
    """Bytes of a piece that somebody is to fill."""

    piece: Piece
    at: int
    count: int

    @property
    def address(self) -> int:
        """Where the first of them is in memory."""
        return self.piece.buffer.address + self.at

    @property
    def view(self) -> memoryview:
        """The bytes."""
        return self.piece.buffer.view[self.at : self.at + self.count]


class Stream:
    """Appends bytes from an offset on.

    Room is given away in order, by one thread at a time, and filled by any thread; what is full is written. A failed write
    shows at a later `reserve` or at `finish`.
    """

    def __init__(self, store: Store, offset: int, pieces: int = PIECES) -> None:
        assert offset % BLOCK == 0
        self.store, self.start, self.position = store, offset, offset
        self.free, self.full = SimpleQueue[Buffer](), SimpleQueue[Piece | None]()
        for _ in range(pieces):
            self.free.put(Buffer(PIECE))
        self.piece: Piece | None = None
        self.lock = threading.Lock()
        self.failure: BaseException | None = None
        self.given_up = False
        self.written = self.durable = 0
        self.flushed = 0.0
        self.flush_after = FIRST_FLUSH
        self.flow = Flow(time.monotonic)
        self.writers = [threading.Thread(target=self._write, daemon=True) for _ in range(WRITERS)]
        for writer in self.writers:
            writer.start()

    @property
    def waiting(self) -> int:
        """Bytes that wait for the medium, beside those that it is given now, and those that its cache has for later."""
        with self.lock:
            return self.full.qsize() * PIECE + self.flow.cached

    @property
    def rates(self) -> tuple[float, float]:
        """Bytes a second that the medium took of late, and all the time; 0 if nothing is known."""
        with self.lock:
            return self.flow.rate, self.flow.average

    def reserve(self, count: int) -> list[Place]:
        """Give room for the next `count` bytes away; all of it is to be filled, and then handed to `fill`.

        Who fills nothing in the meantime asks for at most a piece at once: a piece is free again when it was full.


        :raises OSError: an earlier write failed.
        :raises RuntimeError: it was given up.
        """
        places = []
        while count:
            if self.piece is None:
                self.piece = Piece(self._emptied(), self.position)
            piece = self.piece
            place = Place(piece, piece.given, min(PIECE - piece.given, count))
            piece.given += place.count
            if piece.given == PIECE:
                self.piece = None
            self.position += place.count
            count -= place.count
            places.append(place)
        return places

    def fill(self, places: Sequence[Place]) -> None:
        """Note that places are filled."""
        for place in places:
            with self.lock:
                place.piece.filled += place.count
                full = place.piece.filled == PIECE
            if full:
                self.full.put(place.piece)

    def append(self, data: bytes | memoryview) -> None:
        """Add bytes.

        :raises OSError: an earlier write failed.
        """
        view, at = memoryview(data), 0
        while at < len(view):
            places = self.reserve(min(PIECE, len(view) - at))
            for place in places:
                place.piece.buffer.put(place.at, view[at : at + place.count])
                at += place.count
            self.fill(places)

    def _emptied(self) -> Buffer:
        """Wait for a buffer that was written.

        :raises OSError: a write failed, or a thread that writes has died.
        """
        while True:
            if self.failure:
                raise self.failure
            if self.given_up:
                raise RuntimeError("another thread gave up")
            try:
                return self.free.get(timeout=_LOOK)
            except Empty:
                if not all(writer.is_alive() for writer in self.writers):
                    raise self._died() from None

    def give_up(self) -> None:
        """Let nobody wait for room any more: what was given away may never be filled."""
        self.given_up = True

    def _died(self) -> OSError:
        return OSError(errno.EIO, "the thread that writes has died", os.fspath(self.store.path))

    def _write(self) -> None:
        while piece := self.full.get():
            try:
                if not self.failure:
                    self._write_one(piece)
            except BaseException as error:  # raised again in the thread that reserves
                self.failure = error
            self.free.put(piece.buffer)

    def _write_one(self, piece: Piece) -> None:
        with self.lock:
            self.flow.begin()
        self.store.write_buffer(piece.offset, piece.buffer, piece.filled)
        with self.lock:
            self.flow.end(piece.filled)
            self.written += piece.filled
            due = self._due()
        if due:
            self._flush()

    def _due(self) -> bool:
        now = time.monotonic()
        if self.written - self.durable < self.flush_after:
            return False
        if self.flush_after == FLUSH_BYTES and now - self.flushed < FLUSH_SECONDS:
            return False
        self.flushed, self.durable = now, self.written
        self.flush_after = min(self.flush_after * 2, FLUSH_BYTES)
        return True

    def _flush(self) -> None:
        with self.lock:
            self.flow.begin()
        began = time.monotonic()
        self.store.flush()
        with self.lock:
            self.flow.end(0)
            self.flow.durable(began)

    def finish(self) -> int:
        """Write what is left, padded to a block, and wait for all; gives the offset after it.

        :raises OSError: a write failed.
        """
        self.append(bytes(-self.position % BLOCK))
        if self.piece is not None:
            self.full.put(self.piece)
            self.piece = None
        self.close()
        if self.failure:
            raise self.failure
        if self.written != self.position - self.start:
            raise self._died()
        return self.position

    def close(self) -> None:
        """Let no write be under way any more, whatever became of it or interrupts."""
        failure: BaseException | None = None
        for writer in self.writers:
            while writer.is_alive():
                try:
                    self.full.put(None)
                    writer.join(_LOOK)
                except BaseException as error:
                    failure = error
        if failure:
            raise failure
