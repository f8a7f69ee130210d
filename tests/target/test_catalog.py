"""What is told about an image, and which of several is taken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from khib_tui.errors import ImageError
from khib_tui.facts import blockdev
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
from khib_tui.target import catalog, pick, swap
from khib_tui.target.catalog import Found
from tests.kit.loopback import free_port
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
    with pick.in_file(path) as (found, _):
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


class Clock:
    """Time that passes only where somebody sleeps, and what is found on the disks after so many seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, found: dict[float, list[Found]]) -> None:
        self.now, self.found, self.told = 0.0, found, list[str]()
        monkeypatch.setattr(catalog, "time", self)
        monkeypatch.setattr(blockdev, "devices", tuple)
        monkeypatch.setattr(catalog, "_on_disks", lambda _: self.found[max(at for at in self.found if at <= self.now)])

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


LATE, USED = known("/dev/sdb1", State.COMPLETE, "bb"), known("/dev/vda9", State.DONE)


def test_an_image_that_is_put_in_late_is_waited_for_with_words(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, {0: [], 60: [LATE]})
    assert catalog.find("", "", clock.told.append)[1] is LATE
    assert len(clock.told) == 1 and "plug it in" in clock.told[0] and clock.now == 60


def test_one_that_is_there_at_once_is_told_nothing_about(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, {0: [LATE]})
    assert catalog.find("", "", clock.told.append)[1] is LATE and not clock.told and clock.now == 0


def test_a_used_image_does_not_hide_one_on_a_disk_that_takes_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, {0: [USED], 2: [USED, LATE]})
    assert catalog.find("", "", clock.told.append)[1] is LATE
    clock = Clock(monkeypatch, {0: [USED]})
    with pytest.raises(ImageError, match="resumed before"):
        catalog.find("", "")
    assert clock.now <= catalog.WAIT_FOR_OTHERS + 1


def test_without_any_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, {0: []})
    with pytest.raises(ImageError) as caught:
        catalog.find("", "")
    assert caught.value.ident == "HIB-E-NO-IMAGE" and clock.now <= catalog.WAIT_FOR_PLACE + 1


def test_a_place_that_is_there_and_has_none_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, {0: []})
    monkeypatch.setattr(catalog, "_named", lambda *_: [])
    with pytest.raises(ImageError) as caught:
        catalog.find("", "word", clock.told.append)
    assert caught.value.ident == "HIB-E-NO-IMAGE" and clock.now <= blockdev.WAIT_FOR_DISKS + 1


def test_another_machine_that_never_answers_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, {0: []})
    word = f"nfs://127.0.0.1:{free_port()}/a/image.khib"
    with pytest.raises(ImageError, match="does not answer at port"):
        catalog.find("", word, clock.told.append)
    assert len(clock.told) == 1 and "does not answer yet (127.0.0.1 does not answer" in clock.told[0]
