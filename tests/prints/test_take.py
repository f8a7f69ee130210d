"""Prints of devices that are files: what is read, and that the same is read again."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from khib_tui.model.identity import DeviceKey, key_of
from khib_tui.model.machine import BlockDevice
from khib_tui.model.origin import DiskPrint, Used
from khib_tui.model.units import KIB, MIB, PAGE
from khib_tui.prints import take
from khib_tui.prints.compare import compare


def device(path: Path, serial: str = "s", unit: str = "", kind: str = "disk") -> BlockDevice:
    """A device that is a file, whose path is one below /dev."""
    if not path.exists():
        path.write_bytes(bytes(2 * MIB))
    return BlockDevice(f"..{path}", path.stat().st_size, kind, serial=serial, unit=unit)


def change(item: BlockDevice, at: int) -> None:
    with open(item.path, "r+b") as stream:
        stream.seek(at)
        stream.write(b"!")


def in_use(item: BlockDevice, *spans: tuple[int, int]) -> Used:
    return Used(key_of(item), item.name, "/", spans)


def test_only_what_is_used_counts_and_the_rest_is_a_warning(tmp_path: Path) -> None:
    root, stick = device(tmp_path / "a", "root"), device(tmp_path / "b", "stick")
    before = take.taken([root, stick], [], [in_use(root, (0, PAGE), (MIB, MIB + PAGE))])
    assert [(item.name, item.needed, item.what) for item in before] == [(root.name, True, "/"), (stick.name, False, "")]
    assert compare(before, take.again([stick, root], before)) == []
    change(root, 512 * KIB)
    assert compare(before, take.again([root, stick], before)) == []
    change(stick, 0)
    assert [(item.ident, item.severity) for item in compare(before, take.again([root, stick], before))] == [
        ("HIB-E-DISK-CHANGED", "warning")
    ]
    change(root, MIB + 5)
    found = compare(before, take.again([root, stick], before))
    assert [item.severity for item in found] == ["blocker", "warning"] and f"{root.name} (/)" in found[0].what


def test_what_is_missing_blocks_only_if_it_was_used(tmp_path: Path) -> None:
    root, stick = device(tmp_path / "a", "root"), device(tmp_path / "b", "stick")
    before = take.taken([root, stick], [], [in_use(root, (0, PAGE))])
    (gone,) = compare(before, take.again([root], before))
    assert (gone.ident, gone.severity) == ("HIB-E-DISK-MISSING", "warning")
    (gone,) = compare(before, take.again([stick], before))
    assert (gone.ident, gone.severity) == ("HIB-E-DISK-MISSING", "blocker") and gone.fix


def test_the_target_is_spared_unless_the_system_uses_it(tmp_path: Path) -> None:
    root, target = device(tmp_path / "a", "root"), device(tmp_path / "b", "target")
    names = [item.name for item in take.taken([root, target], [target], [in_use(root, (0, PAGE))])]
    assert names == [root.name]
    assert len(take.taken([root, target], [target], [in_use(root, (0, PAGE)), in_use(target, (0, PAGE))])) == 2


def test_devices_that_nothing_tells_apart_are_a_set(tmp_path: Path) -> None:
    one, two = device(tmp_path / "a"), device(tmp_path / "b")
    change(two, 0)
    used = [in_use(one, (0, PAGE)), in_use(two, (MIB, MIB + PAGE))]
    before = take.taken([one, two], [], used)
    assert before[0].digest != before[1].digest and before[0].spots == ((0, PAGE), (MIB, MIB + PAGE))
    assert compare(before, before) == [] and compare(before, take.again([two, one], before)) == []
    assert [item.ident for item in compare(before, take.again([two], before))] == ["HIB-E-DISK-MISSING"]
    change(one, 0)
    assert [item.ident for item in compare(before, take.again([two, one], before))] == ["HIB-E-DISK-CHANGED"]


def test_units_of_an_enclosure_are_told_apart(tmp_path: Path) -> None:
    one, two = device(tmp_path / "a"), device(tmp_path / "b", unit="1")
    before = take.taken([one, two], [], [in_use(one, (0, PAGE))])
    assert [item.needed for item in before] == [True, False]
    swapped = [msgspec.structs.replace(two, unit=""), msgspec.structs.replace(one, unit="1")]
    change(two, 0)
    assert [item.severity for item in compare(before, take.again(swapped, before))] == ["blocker"]


def test_what_cannot_be_read_blocks_if_it_is_used(tmp_path: Path) -> None:
    root, stick = device(tmp_path / "a", "root"), device(tmp_path / "b", "stick")
    used = [in_use(root, (0, PAGE))]
    before = take.taken([root, stick], [], used)
    for item in (root, stick):
        Path(item.path).unlink()
    found = compare(before, take.again([root, stick], before))
    assert [(item.ident, item.severity) for item in found] == [
        ("HIB-E-DISK-UNREADABLE", "blocker"), ("HIB-E-DISK-CHANGED", "warning"),
    ]  # fmt: skip
    unread = take.taken([root, stick], [], used)
    assert [item.ident for item in compare(unread, unread)] == ["HIB-E-DISK-UNREADABLE"]


def test_a_place_beyond_the_end_is_not_read_as_if_it_were_there(tmp_path: Path) -> None:
    root = device(tmp_path / "a")
    assert take.digest(root, ((0, 2 * MIB),)) and take.digest(root, ((0, 2 * MIB + 1),)) == ""


def test_prints_of_older_images_are_of_both_ends_and_know_no_units(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(range(256)) * 4 * KIB)
    disk = device(path, unit="1")
    content = path.read_bytes()
    digest = hashlib.sha256(content[: 256 * KIB] + content[-64 * KIB :]).hexdigest()
    written = {"name": "sda", "disk_id": "", "start": 0, "size": MIB, "serial": "s", "label": "x", "digest": digest}
    before = [msgspec.convert(written, DiskPrint)]
    assert compare(before, take.again([disk], before)) == []
    change(disk, MIB - 1)
    assert [item.severity for item in compare(before, take.again([disk], before))] == ["blocker"]


def test_so_many_of_a_key_as_are_wanted_must_be_there(tmp_path: Path) -> None:
    one, two = device(tmp_path / "a"), device(tmp_path / "b")
    key = key_of(one)
    assert take.absent([one, two], [key, key]) == [] and take.absent([one], [key, key]) == [key]
    other = device(tmp_path / "c", unit="2")
    assert take.absent([other], [key]) == [key] and take.absent([other], [key], units=False) == []
    assert take.absent([msgspec.structs.replace(one, kind="loop")], [key]) == [DeviceKey("", 0, 2 * MIB, "s")]
