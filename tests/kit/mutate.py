"""What others wrote, changed at random: bytes, numbers and structure; the same changes for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

NASTY = (
    b"\xff", b"\xc3\x28", b"\0", b"\x1b[2J", b"9" * 400, b"1e20", b"1e400", b"-1", b"18446744073709551615", b"[" * 3000,
    b'{"a":' * 2000, b'"\\ud800"', b"NaN", b"\xe1\x8d\xa9", b"\xe2\x80\xae", b"\n", b"null", b"\xf4\x90\x80\x80",
)  # fmt: skip
EDGES = (
    0,
    1,
    0x7F,
    0x80,
    0xFF,
    0xFFFF,
    0x7FFFFFFF,
    0xFFFFFFFF,
    1 << 62,
    (1 << 63) - 1,
    1 << 63,
    (1 << 64) - 4096,
    (1 << 64) - 1,
)
Change = Callable[[random.Random, bytearray], None]


def _flip(noise: random.Random, data: bytearray) -> None:
    for _ in range(noise.choice((1, 1, 2, 8))):
        data[noise.randrange(len(data))] ^= 1 << noise.randrange(8)


def _cut(noise: random.Random, data: bytearray) -> None:
    del data[noise.randrange(len(data)) :]


def _insert(noise: random.Random, data: bytearray) -> None:
    at = noise.randrange(len(data))
    data[at:at] = noise.choice(NASTY)


def _replace(noise: random.Random, data: bytearray) -> None:
    at, nasty = noise.randrange(len(data)), noise.choice(NASTY)
    data[at : at + noise.choice((1, 4, len(nasty)))] = nasty


def _number(noise: random.Random, data: bytearray) -> None:
    width = noise.choice((2, 4, 8))
    at = noise.randrange(0, max(len(data) - width, 1)) // width * width
    data[at : at + width] = (noise.choice(EDGES) & ((1 << 8 * width) - 1)).to_bytes(width, "little")


def _digits(noise: random.Random, data: bytearray) -> None:
    """Put something else in the place of a number that is written out."""
    places = [at for at, byte in enumerate(data) if 48 <= byte <= 57]
    if places:
        at = noise.choice(places)
        data[at : at + 1] = noise.choice(NASTY)


def _double(noise: random.Random, data: bytearray) -> None:
    first, last = sorted(noise.randrange(len(data)) for _ in range(2))
    data[first:first] = data[first:last]


def _drop(noise: random.Random, data: bytearray) -> None:
    first = noise.randrange(len(data))
    del data[first : first + noise.choice((1, 8, 64))]


CHANGES: tuple[Change, ...] = (_flip, _cut, _insert, _replace, _number, _digits, _double, _drop)


def mutants(sound: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Yield changed copies, each with one to three changes."""
    noise = random.Random(seed)
    for _ in range(count):
        data = bytearray(sound)
        for _ in range(noise.choice((1, 1, 2, 3))):
            if data:
                noise.choice(CHANGES)(noise, data)
        yield bytes(data)
