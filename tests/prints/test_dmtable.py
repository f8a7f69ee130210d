"""Tables of device mapper: as the kernel answers, and what follows from their words."""

from __future__ import annotations

import struct

import pytest

from khib_tui.prints import dmtable
from khib_tui.prints.dmtable import Target
from khib_tui.prints.stack import Member, Segment, Way

NAMES = {"8:1": "sda1", "8:17": "sdb1"}
KEY = "0123456789abcdef" * 4


def answer(*lines: tuple[int, int, str, str]) -> bytes:
    """What the kernel writes behind the header, which says where it begins and how many lines there are."""
    body = b""
    for start, size, kind, words in lines:
        text = words.encode() + b"\0"
        text += bytes(-len(text) % 8)
        body += struct.pack("=QQiI16s", start, size, 0, len(body) + 40 + len(text), kind.encode()) + text
    return (struct.pack("=3IIII", 4, 47, 0, 0, 312, len(lines)) + bytes(312 - 24) + body).ljust(2048, b"\0")


def test_lines_follow_each_other_and_a_key_is_left_out() -> None:
    raw = answer(
        (0, 100, "linear", "8:1 2048"), (100, 50, "striped", "2 128 8:1 0 8:17 64"),
        (150, 9, "crypt", f"aes-xts-plain64 {KEY} 0 8:1 32768 1 allow_discards"),
    )  # fmt: skip
    first, second, third = dmtable.targets(raw)
    assert (first, second.words) == (Target(0, 100, "linear", ("8:1", "2048")), ("2", "128", "8:1", "0", "8:17", "64"))
    assert third.words == ("aes-xts-plain64", "-", "0", "8:1", "32768", "1", "allow_discards") and KEY not in repr(third)


@pytest.mark.parametrize(
    ("kind", "words", "way", "members", "chunk"),
    [
        ("linear", "8:1 2048", Way.EACH, (Member("sda1", 1 << 20),), 0),
        ("striped", "2 128 8:1 8 8:17 16", Way.STRIPES, (Member("sda1", 4096), Member("sdb1", 8192)), 65536),
        ("crypt", "aes-xts-plain64 - 0 8:17 32768", Way.EACH, (Member("sdb1", 16 << 20),), 0),
        ("crypt", "aes - 0 8:17 0 1 integrity:28:aead", Way.UNKNOWN, (Member("sda1"),), 0),
        ("linear", "9:9 2048", Way.UNKNOWN, (Member("sda1"),), 0),
        ("linear", "8:1", Way.UNKNOWN, (Member("sda1"),), 0),
        ("thin", "254:3 1", Way.UNKNOWN, (Member("sda1"),), 0),
    ],
)
def test_words(kind: str, words: str, way: Way, members: tuple[Member, ...], chunk: int) -> None:
    found = dmtable.segments([Target(8, 16, kind, tuple(words.split()))], NAMES, ["sda1"])
    assert found == (Segment(4096, 8192, way, members, chunk),)


def test_large_numbers_of_devices_are_written_as_the_kernel_does() -> None:
    assert dmtable._encoded(253, 5) == 253 << 8 | 5
    assert dmtable._encoded(253, 0x12345) == 0x45 | 253 << 8 | 0x123 << 20
