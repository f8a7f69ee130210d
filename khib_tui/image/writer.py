"""Writing the payload: gather runs into frames, compress, digest, append."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import xxhash

from khib_tui.image import vmcore
from khib_tui.image.codec import FRAME, Codec, compress
from khib_tui.image.manifest import Frame
from khib_tui.image.pipeline import keep_memory, ordered, workers
from khib_tui.image.store import Stream
from khib_tui.jump.devmem import PhysicalMemory, Window
from khib_tui.ranges import Ranges


@dataclass(frozen=True)
class Payload:
    """What was written: the frames in order, and the size of what they hold."""

    frames: list[Frame]
    raw_size: int


def content(memory: PhysicalMemory, saved: Ranges, head: bytes, placed: Sequence[vmcore.Placed]) -> Iterator[bytes]:
    """Give the bytes of the vmcore in pieces: its headers, then the content of each run."""
    yield head
    window = Window(memory, saved)
    try:
        for item in placed:
            at, end = item.run.start, item.run.start + item.run.filesz
            while at < end:
                piece = window.load(at, min(end, at + FRAME))
                yield piece
                at += len(piece)
    finally:
        window.close()


def cut(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Gather pieces into frames of exactly one frame size, but for the last."""
    waiting: list[bytes] = []
    held = 0
    for piece in pieces:
        at = 0
        while at < len(piece):
            part = piece[at : at + FRAME - held]
            waiting.append(part)
            held += len(part)
            at += len(part)
            if held == FRAME:
                yield b"".join(waiting)
                waiting, held = [], 0
    if held:
        yield b"".join(waiting)


def write_payload(
    stream: Stream, pieces: Iterator[bytes], codec: Codec, progress: Callable[[int], None],
) -> Payload:  # fmt: skip
    """Write all pieces as frames.

    :param progress: told after each frame how many bytes of memory it held; may raise to stop.
    """

    def seal(plain: bytes) -> tuple[bytes, int, bytes]:
        stored = compress(codec, plain)
        return stored, len(plain), xxhash.xxh3_128_digest(stored)

    keep_memory()
    frames: list[Frame] = []
    total = 0
    for stored, raw, digest in ordered(seal, cut(pieces), workers()):
        frames.append(Frame(stream.position, len(stored), raw, digest))
        stream.append(stored)
        total += raw
        progress(raw)
    return Payload(frames, total)
