"""How much of the disks an image may have read again: bytes and places, all disks together."""

from __future__ import annotations

import msgspec
import pytest

from khib_tui.errors import ImageError, Refused
from khib_tui.image import manifest as manifests
from khib_tui.model.identity import DeviceKey
from khib_tui.model.origin import DiskPrint, Used
from khib_tui.model.ranges import Spans
from khib_tui.model.units import GIB, PAGE
from khib_tui.prints import bounds, take
from tests.restorer.test_restore import MANIFEST

TIB = 1 << 40


def printed(spots: Spans, size: int = TIB, serial: str = "") -> DiskPrint:
    return DiskPrint("sda", "", 0, size, serial, "", "x", "", True, spots)


def parsed(*disks: DiskPrint) -> manifests.Manifest:
    return manifests.parse(msgspec.json.encode(msgspec.structs.replace(MANIFEST, disks=disks)))


MANY = tuple((number * 2, number * 2 + 1) for number in range(bounds.MOST_PLACES // 2 + 1))


@pytest.mark.parametrize(
    ("disks", "words"),
    [
        ([printed(((0, 9 * GIB),))], "9.0 GiB of the disks"),
        ([printed(((0, 5 * GIB),)), printed(((0, 4 * GIB),), serial="b")], "9.0 GiB of the disks"),
        ([printed(MANY), printed(MANY, serial="b")], "262146 places"),
        ([printed(((0, PAGE), (0, PAGE)))], "behind 0x1000"),
        ([printed(((PAGE, 2 * PAGE), (0, PAGE)))], "behind 0x2000"),
        ([printed(((PAGE, PAGE),))], "0x1000-0x1000"),
        ([printed(((2 * PAGE, PAGE),))], "0x2000-0x1000"),
        ([printed(((0, 2 * PAGE),), size=PAGE)], "on a disk of 4.0 KiB"),
    ],
)  # fmt: skip
def test_an_image_that_wants_more_read_is_refused(disks: list[DiskPrint], words: str) -> None:
    with pytest.raises(ImageError) as caught:
        parsed(*disks)
    assert caught.value.ident == "HIB-E-SPOTS" and words in str(caught.value) and caught.value.hint


def test_what_is_within_the_bounds_is_read() -> None:
    assert len(parsed(printed(((0, 8 * GIB),)), printed((), serial="old")).disks) == 2
    assert parsed(printed(MANY[:-1]), printed(MANY[:-1], serial="b")).disks


def in_use(serial: str, *spots: tuple[int, int]) -> Used:
    return Used(DeviceKey("", 0, TIB, serial), "sda", "/", spots)


def test_a_system_with_more_is_refused_before_it_goes() -> None:
    """Of disks that nothing tells apart each is read at the places of all."""
    take.refuse_excess([in_use("a", (0, 2 * GIB)), in_use("b", (3 * GIB, 5 * GIB))])
    with pytest.raises(Refused) as caught:
        take.refuse_excess([in_use("a", (0, 2 * GIB)), in_use("a", (3 * GIB, 5 * GIB))])
    assert caught.value.ident == "HIB-E-SPOTS" and "8.0 GiB" in str(caught.value)
