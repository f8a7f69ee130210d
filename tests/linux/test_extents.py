"""Where files lie, as the filesystem of this machine tells; and btrfs's own addresses, as its answers are laid out."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from khib_tui.linux import btrfs, extents
from khib_tui.linux.btrfs import Chunk
from khib_tui.linux.extents import Extent
from khib_tui.linux.syscalls import fallocate
from khib_tui.model.units import MIB


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    made = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    yield made
    os.close(made)


def test_a_file_with_all_its_room_lies_somewhere_from_end_to_end(fd: int) -> None:
    fallocate(fd, 8 * MIB)
    found = list(extents.extents(fd))
    assert [item.logical for item in found] == [sum(item.size for item in found[:at]) for at in range(len(found))]
    assert sum(item.size for item in found) == os.fstat(fd).st_size == 8 * MIB
    assert all(item.plain and item.physical for item in found)


def test_a_hole_shows(fd: int) -> None:
    os.ftruncate(fd, 8 * MIB)
    os.pwrite(fd, b"x" * 4096, 4 * MIB)
    (only,) = extents.extents(fd)
    assert only.logical == 4 * MIB and only.size < MIB


def test_room_that_is_not_there_is_not_given(fd: int) -> None:
    with pytest.raises(OSError, match=r"space|large"):
        fallocate(fd, 1 << 60)


@pytest.mark.parametrize("flag", [0x2, 0x4, 0x8, 0x80, 0x100, 0x200, 0x400, 0x2000])
def test_what_its_filesystem_may_move_or_share_is_not_plain(flag: int) -> None:
    assert not Extent(0, 0, 4096, extents.UNWRITTEN | 0x1).plain
    assert Extent(0, 4096, 4096, extents.UNWRITTEN | 0x1).plain and not Extent(0, 4096, 4096, flag).plain


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a file immutable")
def test_what_is_immutable_cannot_be_cut(fd: int) -> None:
    fallocate(fd, MIB)
    assert extents.set_flag(fd, extents.IMMUTABLE, on=True)
    try:
        with pytest.raises(PermissionError):
            os.truncate(f"/proc/self/fd/{fd}", 5)
    finally:
        assert extents.set_flag(fd, extents.IMMUTABLE, on=False)
    assert not extents.flags_of(fd) & extents.IMMUTABLE


CHUNKS = [Chunk(0, 8 * MIB, ((1, 1 * MIB),)), Chunk(8 * MIB, 8 * MIB, ((1, 40 * MIB),)), Chunk(16 * MIB, MIB, ((1, 0), (1, 9)))]


def test_addresses_are_cut_at_the_ends_of_chunks() -> None:
    assert list(btrfs.physical(CHUNKS, 7 * MIB, 10 * MIB)) == [(8 * MIB, 9 * MIB), (40 * MIB, 42 * MIB)]


@pytest.mark.parametrize(("start", "end"), [(15 * MIB, 17 * MIB), (16 * MIB, 17 * MIB), (20 * MIB, 21 * MIB)])
def test_what_is_kept_twice_or_nowhere_has_no_place(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="copy"):
        list(btrfs.physical(CHUNKS, start, end))


def test_an_answer_of_the_chunk_tree() -> None:
    body = struct.pack("<QQQQIIIHH", MIB, 2, 65536, 1, 4096, 4096, 4096, 2, 1)
    body += struct.pack("<QQ", 1, 77) + bytes(16) + struct.pack("<QQ", 2, 88) + bytes(16)
    key = struct.pack("=7Q4I4Q", 3, 256, 256, 0, 0, 0, 0, 228, 228, 1, 0, 0, 0, 0, 0)
    answer = key + struct.pack("=QQQII", 9, 256, 12345, 228, len(body)) + body
    assert list(btrfs.items(answer.ljust(4096, b"\0"))) == [Chunk(12345, MIB, ((1, 77), (2, 88)))]


def test_other_filesystems_are_no_btrfs(fd: int) -> None:
    with pytest.raises(OSError):
        btrfs.devices(fd)
