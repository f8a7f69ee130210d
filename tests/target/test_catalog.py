"""What is told about an image, and which of several is taken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from khib_tui.errors import ImageError
from khib_tui.facts.usage import ActiveSwap
from khib_tui.image import header as headers
from khib_tui.image import marks
from khib_tui.image.header import Header, State
from khib_tui.image.ranges import Ranged
from khib_tui.image.store import Store
from khib_tui.model.identity import DeviceKey, TargetRef, key_of
from khib_tui.model.origin import Used
from khib_tui.model.target import LENT_SWAP
from khib_tui.model.units import KIB, MIB
from khib_tui.seal import unlock as sealing
from khib_tui.target import catalog, swap
from khib_tui.target.catalog import Found
from tests.kit.machines import BIOS, changed

pytestmark = pytest.mark.usefixtures("quick_seals")


def test_a_sealed_image_tells_only_what_its_header_says_until_it_is_opened(image: tuple[Found, Path], key_file: Path) -> None:
    found, path = image
    with Store(path) as store:
        clear = catalog.info(found, store, None)
        whole = catalog.info(found, store, sealing.info_sealer(found.header.seal, found.header.image_id, str(key_file)))
    assert clear["sealed"].startswith("chacha20-poly1305") and "processor" not in clear
    assert whole["processor"] == "m" and clear.items() - {("memory", clear["memory"])} <= whole.items()
    assert catalog.line(found).endswith(", sealed")
    listed = json.dumps(catalog.facts(found))
    assert '"seal": "chacha20-poly1305"' in listed and "salt" not in listed


def known(where: str, state: State, ident: str = "aa") -> Found:
    return Found(TargetRef(DeviceKey(where, 0, 1, "")), where, Header(ident, state, 1, host="a"))


def test_the_only_complete_image_is_taken() -> None:
    found = [known("/dev/a", State.DONE), known("/dev/b", State.COMPLETE), known("/dev/c", State.PARTIAL)]
    assert catalog.choose(found).where == "/dev/b"


@pytest.mark.parametrize(
    ("found", "ident"),
    [
        ([], "HIB-E-NO-IMAGE"),
        ([known("/dev/a", State.CLAIMED)], "HIB-E-IMAGE-CLAIMED"),
        ([known("/dev/a", State.DONE)], "HIB-E-IMAGE-DONE"),
        ([known("/dev/a", State.PARTIAL)], "HIB-E-IMAGE-PARTIAL"),
        ([known("/dev/a", State.ABANDONED)], "HIB-E-IMAGE-ABANDONED"),
        ([known("/dev/a", State.COMPLETE), known("/dev/b", State.COMPLETE)], "HIB-E-TWO-IMAGES"),
    ],
)
def test_otherwise_it_says_why_not(found: list[Found], ident: str) -> None:
    with pytest.raises(ImageError) as caught:
        catalog.choose(found)
    assert caught.value.ident == ident and caught.value.hint


def test_an_image_that_was_given_up_at_a_normal_start_is_listed_so_and_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "image"
    with path.open("wb") as stream:
        stream.truncate(3 * MIB)
    with Store(path, writable=True) as store:
        headers.write(store, Header("aa", State.COMPLETE, 0, host="a"))
        store.write(marks.OFFSET, bytes(marks.RESUME_SIZE) + marks.GIVEN_UP + b" aa\n")
    with catalog.in_file(path) as (found, _):
        assert f"abandoned ({marks.REASON})" in catalog.line(found) and catalog.facts(found)["state"] == "abandoned"
    with pytest.raises(ImageError) as caught:
        catalog.choose([found])
    assert caught.value.ident == "HIB-E-IMAGE-GIVEN-UP"


def test_one_of_two_images_can_be_named() -> None:
    found = [known("/dev/a", State.COMPLETE, "aa"), known("/dev/b", State.COMPLETE, "bb")]
    assert catalog.choose(found, "/dev/b").where == catalog.choose(found, "bb").where == "/dev/b"


@pytest.mark.parametrize("on", [False, True])
def test_an_image_in_a_swap_is_listed_only_while_that_is_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on: bool) -> None:
    device = tmp_path / "swap"
    device.write_bytes(bytes(16 * MIB))
    spans = ((64 * KIB, 16 * MIB),)
    with Ranged(device, spans, writable=True) as store:
        store.write_map()
        headers.advance(store, headers.write(store, Header("aa" * 16, State.PARTIAL, 0)), State.COMPLETE)
    part = next(item for item in BIOS.devices if item.name == "vdb1")
    place = swap.Area(TargetRef(key_of(part), spans=spans), Used(key_of(part), "vdb1", "", ()))
    monkeypatch.setattr(swap, "active", lambda target: ActiveSwap("/dev/vdb1", 1, 0, -2) if on else None)
    monkeypatch.setattr(swap, "located", lambda *_, **__: place)
    nodes = {"vdb1": str(device)}
    machine = changed(BIOS, "vdb1", swap=True, fstype=LENT_SWAP)
    monkeypatch.setattr(type(part), "path", property(lambda item: nodes.get(item.name, f"/dev/{item.name}")))
    found = catalog.images(machine, "swap")
    assert [item.header.image_id for item in found] == ([] if on else ["aa" * 16])
