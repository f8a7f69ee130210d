"""What lies on what, read from a made-up system."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.model.machine import BlockDevice
from khib_tui.prints.dmtable import Target
from khib_tui.prints.layers import stack_of
from khib_tui.prints.stack import Member, Segment, Way
from tests.kit.faketree import Content, tree

DISKS = [BlockDevice("sda", 1 << 30, "disk"), BlockDevice("sda1", 1 << 29, "partition", disk="sda", start=1 << 20)]
MD = "sys/class/block/md0/md"
ARRAY = BlockDevice("md0", 1 << 28, "md", slaves=("sda1", "sdb1"))


def array(level: str, **more: Content) -> dict[str, Content]:
    """The files of an array with two members and a spare."""
    files: dict[str, Content] = {
        f"{MD}/level": level,
        f"{MD}/raid_disks": "2",
        f"{MD}/chunk_size": "65536",
        f"{MD}/layout": "258",
    }
    for name, slot in (("sdb1", "1"), ("sda1", "0"), ("sdc1", "none")):
        files |= {f"{MD}/dev-{name}/slot": slot, f"{MD}/dev-{name}/offset": "2048", f"{MD}/dev-{name}/size": "1024"}
    return files | {f"{MD}/{name.replace('__', '/')}": text for name, text in more.items()}


MEMBERS = (Member("sda1", 1 << 20), Member("sdb1", 1 << 20))


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        (array("raid1", chunk_size="0"), Segment(0, 1 << 28, Way.EACH, MEMBERS)),
        (array("raid0"), Segment(0, 1 << 28, Way.STRIPES, MEMBERS, 65536)),
        (array("raid10"), Segment(0, 1 << 28, Way.STRIPES, MEMBERS, 65536, 2)),
        (array("raid5"), Segment(0, 1 << 28, Way.ROWS, MEMBERS, 65536, 1)),
        (array("raid5", reshape_position="123"), None),
        (array("raid6"), None),
        (array("raid10", layout="513"), None),
        (array("linear"), None),
        ({}, None),
    ],
)
def test_arrays(tmp_path: Path, files: dict[str, Content], wanted: Segment | None) -> None:
    unknown = Segment(0, 1 << 28, Way.UNKNOWN, (Member("sda1"), Member("sdb1")))
    assert stack_of([*DISKS, ARRAY], tree(tmp_path, files)).segments == {"md0": (wanted or unknown,)}


def test_a_striped_array_of_unequal_members_is_not_plain(tmp_path: Path) -> None:
    files = array("raid0") | {f"{MD}/dev-sda1/size": "4096"}
    assert stack_of([*DISKS, ARRAY], tree(tmp_path, files)).segments["md0"][0].way is Way.UNKNOWN


def test_a_partition_of_an_array_lies_on_it_and_one_of_a_disk_on_nothing(tmp_path: Path) -> None:
    part = BlockDevice("md0p1", 4096, "partition", disk="md0", start=1 << 20)
    found = stack_of([*DISKS, ARRAY, part], tree(tmp_path, {}))
    assert found.segments["md0p1"] == (Segment(0, 4096, Way.EACH, (Member("md0", 1 << 20),)),)
    assert "sda1" not in found.segments and found.sizes["sda1"] == 1 << 29


def test_mapped_devices_are_asked_for_by_number(tmp_path: Path) -> None:
    files: dict[str, Content] = {"sys/class/block/dm-0/dev": "253:0\n", "sys/class/block/sda1/dev": "8:1\n"}
    mapped = BlockDevice("dm-0", 1 << 20, "dm", slaves=("sda1",))
    asked: list[str] = []

    def table(number: str) -> list[Target]:
        asked.append(number)
        return [Target(0, 2048, "linear", ("8:1", "8"))]

    found = stack_of([*DISKS, mapped], tree(tmp_path, files), table)
    assert asked == ["253:0"] and found.segments["dm-0"] == (Segment(0, 1 << 20, Way.EACH, (Member("sda1", 4096),)),)


def test_a_table_that_cannot_be_had_leaves_the_slaves(tmp_path: Path) -> None:
    def table(number: str) -> list[Target]:
        raise PermissionError(number)

    mapped, bcache = BlockDevice("dm-0", 8, "dm", slaves=("sda1",)), BlockDevice("bcache0", 8, "disk", slaves=("sda1",))
    found = stack_of([*DISKS, mapped, bcache], tree(tmp_path, {}), table)
    assert {found.segments[name][0].way for name in ("dm-0", "bcache0")} == {Way.UNKNOWN}
    assert found.segments["bcache0"][0].members == (Member("sda1"),)
