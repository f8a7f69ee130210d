"""A file of A's own for the image: made, found, refused where anything could move it, removed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from khib_tui.errors import Refused
from khib_tui.image import header as headers
from khib_tui.image import ranges
from khib_tui.image.header import Header, State
from khib_tui.image.store import BLOCK
from khib_tui.linux import extents
from khib_tui.linux.extents import Extent
from khib_tui.model.identity import TargetRef, key_of
from khib_tui.model.machine import BlockDevice
from khib_tui.model.units import MIB
from khib_tui.prints.stack import Member, Segment, Stack, Way
from khib_tui.target import beneath, ownfile

NEED = 6 * MIB
PART = BlockDevice("vda2", 1 << 30, "partition", disk="vda", disk_id="d", start=MIB, fstype="ext4", mounts=("/",))
CRYPT = BlockDevice("dm-0", 1 << 29, "dm", fstype="ext4", mounts=("/",), slaves=("vda2",))


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """A file that was made for an image."""
    path = tmp_path / "hibernate.khib"
    ownfile.make(path, NEED)
    yield path
    ownfile.remove(path)


@pytest.fixture
def lying(monkeypatch: pytest.MonkeyPatch) -> list[Extent]:
    """The extents that the filesystem tells; it is one with the file in the tests."""
    told = [Extent(0, 8 * MIB, 5 * MIB, extents.UNWRITTEN), Extent(5 * MIB, 40 * MIB, 2 * MIB, extents.UNWRITTEN | 1)]
    monkeypatch.setattr(extents, "extents", lambda fd: iter(told))
    monkeypatch.setattr(beneath, "_number", lambda device: os.stat(os.fspath(Path.cwd())).st_dev)
    monkeypatch.setattr(beneath, "stack_of", lambda devices: Stack({}, {item.name: item.size for item in devices}))
    return told


@pytest.fixture(autouse=True)
def same_device(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_it_is_made_with_all_its_room_and_nothing_moves_it(file: Path) -> None:
    status = file.stat()
    assert status.st_size == ownfile.length(NEED) == 7 * MIB and status.st_blocks * 512 >= status.st_size
    assert status.st_mode & 0o777 == 0o600 and ownfile.there(file, NEED) and not ownfile.there(file, 2 * NEED)
    with file.open("rb") as stream:
        assert bool(extents.flags_of(stream.fileno()) & extents.IMMUTABLE) is (os.geteuid() == 0)


def test_a_larger_one_takes_its_place_and_it_goes_away_again(file: Path) -> None:
    ownfile.make(file, 2 * NEED)
    assert file.stat().st_size == ownfile.length(2 * NEED)
    assert ownfile.remove(file) and not file.exists() and not ownfile.remove(file)


def test_without_room_nothing_stays(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        ownfile.make(tmp_path / "large", 1 << 60)
    assert caught.value.ident == "HIB-E-TARGET-SMALL" and "are free there" in caught.value.message
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        ownfile.make(tmp_path / "no/file", NEED)
    assert caught.value.ident == "HIB-E-TARGET-DIRECTORY"


@pytest.mark.parametrize("spoil", ["content", "second name", "folder", "link"])
def test_what_is_not_an_image_is_neither_used_nor_removed(tmp_path: Path, spoil: str) -> None:
    path = tmp_path / "mine"
    match spoil:
        case "content":
            path.write_bytes(b"my thesis".ljust(8 * MIB))
        case "second name":
            path.write_bytes(bytes(8 * MIB))
            os.link(path, tmp_path / "other")
        case "folder":
            path.mkdir()
        case "link":
            (tmp_path / "there").write_bytes(bytes(8 * MIB))
            path.symlink_to(tmp_path / "there")
    for attempt in (lambda: ownfile.there(path, NEED), lambda: ownfile.make(path, NEED)):
        with pytest.raises(Refused) as caught:
            attempt()
        assert caught.value.ident == "HIB-E-TARGET-FILE"
    assert path.exists()


@pytest.mark.usefixtures("lying")
def test_its_ranges_are_found_the_longest_first(file: Path) -> None:
    found = ownfile.located(file, [PART], NEED, sealed=False)
    assert found.spans == ((8 * MIB, 13 * MIB), (40 * MIB, 42 * MIB)) and found.key.start == MIB and not found.path


@pytest.mark.parametrize(
    ("spoilt", "word"),
    [
        (Extent(5 * MIB, 40 * MIB, 2 * MIB, 0x2000), "shared"), (Extent(5 * MIB, 0, 2 * MIB, 0x4), "no place"),
        (Extent(6 * MIB, 40 * MIB, MIB, 0), "byte 5242880"), (Extent(5 * MIB, 40 * MIB, MIB, 1), "from byte 6291456"),
        (Extent(5 * MIB, 2 << 30, 2 * MIB, 1), "has no bytes"),
    ],
)  # fmt: skip
def test_a_file_that_its_filesystem_may_move_is_refused(file: Path, lying: list[Extent], spoilt: Extent, word: str) -> None:
    lying[1] = spoilt
    with pytest.raises(Refused) as caught:
        ownfile.located(file, [PART], NEED, sealed=False)
    assert caught.value.ident == "HIB-E-TARGET-MOVED" and word in caught.value.message and caught.value.hint


@pytest.mark.usefixtures("lying")
def test_a_file_that_became_too_small_is_refused(file: Path) -> None:
    with pytest.raises(Refused) as caught:
        ownfile.located(file, [PART], 2 * NEED, sealed=False)
    assert caught.value.ident == "HIB-E-TARGET-SMALL"


@pytest.mark.usefixtures("lying")
def test_a_file_on_an_unknown_filesystem_is_refused(file: Path) -> None:
    for devices in ([], [msgspec.structs.replace(PART, fstype="zfs_member")]):
        with pytest.raises(Refused) as caught:
            ownfile.located(file, devices, NEED, sealed=False)
        assert caught.value.ident == "HIB-E-TARGET-FILESYSTEM"


@pytest.mark.usefixtures("lying")
def test_below_encryption_only_a_sealed_image_is_written(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = Stack({"dm-0": (Segment(0, 1 << 29, Way.EACH, (Member("vda2", 16 * MIB),)),)}, {"dm-0": 1 << 29, "vda2": 1 << 30})
    monkeypatch.setattr(beneath, "stack_of", lambda devices: below)
    monkeypatch.setattr(beneath, "text", lambda path, limit=0: "CRYPT-LUKS2-x" if "dm/uuid" in str(path) else "")
    devices = [BlockDevice("vda2", 1 << 30, "partition", disk="vda", disk_id="d", start=MIB), CRYPT]
    with pytest.raises(Refused) as caught:
        ownfile.located(file, devices, NEED, sealed=False)
    assert caught.value.ident == "HIB-E-TARGET-SEAL"
    found = ownfile.located(file, devices, NEED, sealed=True)
    assert found.spans[0] == (24 * MIB, 29 * MIB) and found.key.start == MIB


@pytest.mark.usefixtures("lying")
def test_a_volume_over_two_disks_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    halves = (Segment(0, 20 * MIB, Way.EACH, (Member("vda2"),)), Segment(20 * MIB, MIB << 6, Way.EACH, (Member("vdb1"),)))
    stack = Stack({"dm-0": halves}, {"dm-0": 1 << 27, "vda2": 1 << 30, "vdb1": 1 << 30})
    monkeypatch.setattr(beneath, "stack_of", lambda devices: stack)
    others = [BlockDevice("vda2", 1 << 30, "partition", disk="vda"), BlockDevice("vdb1", 1 << 30, "partition", disk="vdb")]
    with pytest.raises(Refused) as caught:
        ownfile.located(file, [*others, CRYPT], NEED, sealed=True)
    assert "one disk" in caught.value.message


def test_pieces_that_are_too_small_or_too_many_are_refused() -> None:
    small = [("vda2", at * MIB, at * MIB + BLOCK) for at in range(1, 9)]
    many = [("vda2", 0, 8 * MIB), *(("vda2", (9 + at) * MIB, (9 + at) * MIB + BLOCK) for at in range(ranges.MOST))]
    for places in (small, many):
        with pytest.raises(Refused) as caught:
            beneath.ordered(places, Path("/f"))
        assert caught.value.ident == "HIB-E-TARGET-FRAGMENTS"
    assert beneath.ordered([*small, ("vda2", 90 * MIB, 98 * MIB + 5)], Path("/f"))[0] == (90 * MIB, 98 * MIB)


@pytest.mark.parametrize("state", [State.COMPLETE, State.DONE])
def test_a_file_with_an_image_that_waits_is_never_replaced(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: State
) -> None:
    device, spans = tmp_path / "disk", ((8 * MIB, 14 * MIB),)
    device.write_bytes(bytes(16 * MIB))
    with ranges.Ranged(device, spans, writable=True) as store:
        headers.advance(store, headers.write(store, Header("aa" * 16, State.PARTIAL, 0)), state)
    monkeypatch.setattr(ownfile, "located", lambda *_, **__: TargetRef(key_of(PART), spans=spans))
    monkeypatch.setattr(BlockDevice, "path", os.fspath(device))
    if state is State.DONE:
        ownfile.refuse_waiting(file, [PART])
        return
    with pytest.raises(Refused) as caught:
        ownfile.refuse_waiting(file, [PART])
    assert caught.value.ident == "HIB-E-COMPLETE"
