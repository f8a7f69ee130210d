"""Which places of a filesystem are looked at; the matrix in the lab shows that they tell."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from khib_tui.facts.signatures import Read
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import GIB, KIB, MIB, PAGE
from khib_tui.prints import areas, xfs
from khib_tui.runner import run
from tests.kit.faketree import patched
from tests.kit.saved import empty


def reads(data: bytes) -> Read:
    return lambda at, count: data[at : at + count]


def of_file(path: Path) -> Read:
    def read(at: int, count: int) -> bytes:
        with path.open("rb") as stream:
            stream.seek(at)
            return stream.read(count)

    return read


def covers(found: Ranges, start: int, end: int) -> bool:
    return found.covers(Ranges.of([(start, end)]))


@pytest.mark.parametrize(("kind", "block"), [("ext4", 4096), ("ext4", 1024), ("ext3", 4096), ("ext2", 1024)])
def test_ext_superblock_descriptors_and_journal(tmp_path: Path, kind: str, block: int) -> None:
    image = empty(tmp_path / "image", 64 * MIB)
    run(["mke2fs", "-q", "-F", "-t", kind, "-b", str(block), image])
    found = areas.of(kind, 64 * MIB, of_file(image))
    descriptors = (2 if block == 1024 else 1) * block
    assert covers(found, 0, descriptors + 64) and found.total < MIB
    if kind != "ext2":
        # debugfs lists the blocks of the journal's inode
        journal = int(run(["debugfs", "-R", "blocks <8>", image]).stdout.split()[0]) * block
        assert covers(found, journal, journal + 8 * block)


@pytest.mark.parametrize(("bits", "count"), [("16", 32), ("32", 80)])
def test_fat_tables_and_root_directory(tmp_path: Path, bits: str, count: int) -> None:
    image = empty(tmp_path / "image", count * MIB)
    run(["mkfs.vfat", "-F", bits, "-s", "2", image])
    found = areas.of("vfat", count * MIB, of_file(image))
    before = image.read_bytes()
    run(["mmd", "-i", image, "::folder"])
    after = image.read_bytes()
    written = [at for at in range(0, len(before), PAGE) if before[at : at + PAGE] != after[at : at + PAGE]]
    first_table, root = written[0], next(at for at in written if b"FOLDER" in after[at : at + PAGE])
    assert covers(found, 0, 512) and covers(found, first_table, first_table + PAGE) and covers(found, root, root + PAGE)


def xfs_superblock(log_blocks: int, *, groups: int = 4, start: int = 2 << 18 | 8) -> bytes:
    """A superblock of blocks of 4 KiB, groups of 2^18 - 5 of them, and a log in the third group."""
    return patched(
        512, (0, b"XFSB"), (4, struct.pack(">I", 4096)), (48, struct.pack(">Q", start)),
        (84, struct.pack(">II", (1 << 18) - 5, groups)), (96, struct.pack(">I", log_blocks)),
        (102, struct.pack(">H", 512)), (124, b"\x12"),
    )  # fmt: skip


LOG = (2 * ((1 << 18) - 5) + 8) * 4096


def test_xfs_group_heads_and_the_whole_of_a_small_log() -> None:
    found = areas.of("xfs", 4 * GIB, reads(xfs_superblock(8192)))
    assert covers(found, LOG, LOG + 8192 * 4096)
    assert all(covers(found, group * ((1 << 18) - 5) * 4096, group * ((1 << 18) - 5) * 4096 + 2048) for group in range(4))
    assert found.total == 8192 * 4096 + 4 * PAGE


def test_xfs_without_a_log_of_its_own() -> None:
    assert areas.of("xfs", 4 * GIB, reads(xfs_superblock(8192, start=0))).total == 4 * PAGE


@pytest.mark.parametrize("head", [0, 1, 5 * MIB // 512, 200 * MIB // 512, 256 * MIB // 512 - 1])
def test_xfs_around_the_head_of_a_large_log(head: int) -> None:
    """The log was gone through twice up to the head, once behind it; some sectors are headers of records."""
    sectors = 256 * MIB // 512

    def read(at: int, count: int) -> bytes:
        if at < LOG:
            return xfs_superblock(65536)[at : at + count]
        number = (at - LOG) // 512
        cycle = struct.pack(">I", 7 if number < head else 6)
        return (b"\xfe\xed\xba\xbe" + cycle if number % 8 == 0 else cycle + b"data").ljust(count, b"\0")[:count]

    found = areas.of("xfs", 4 * GIB, read)
    after = [(head + more) % sectors for more in range(0, xfs.BEHIND // 512, 97)]
    assert all(covers(found, LOG + at * 512, LOG + at * 512 + 512) for at in after)
    assert found.total < 40 * MIB and found.clip(LOG, LOG + 256 * MIB).total == found.total - 4 * PAGE


def test_f2fs_checkpoints_and_current_segments() -> None:
    base = patched(
        8192, (1024, b"\x10\x20\xf5\xf2"), (1024 + 16, struct.pack("<II", 12, 9)), (1024 + 52, struct.pack("<I", 2)),
        (1024 + 76, struct.pack("<I", 512)), (1024 + 92, struct.pack("<I", 4096)),
    )  # fmt: skip
    old, new = (
        patched(256, (0, struct.pack("<Q", version)), (36, struct.pack("<3I", *nodes)), (84, struct.pack("<3I", *data)))
        for version, nodes, data in ((8, (90, 91, 92), (93, 94, 95)), (9, (1, 2, 3), (5, 6, 1 << 31)))
    )

    def read(at: int, count: int) -> bytes:
        return {512 * PAGE: old, 1024 * PAGE: new}.get(at, base[at : at + count])[:count]

    found = areas.of("f2fs", 96 * MIB, read)
    segments = [(0, 2 * PAGE), (2 * MIB, 6 * MIB)]
    segments += [((16 + 2 * at) * MIB, (18 + 2 * at) * MIB) for at in (1, 2, 3, 5, 6)]
    assert found == Ranges.of(segments)


def test_btrfs_superblocks_as_far_as_the_device_goes() -> None:
    assert areas.of("btrfs", GIB, reads(b"")).spans == ((64 * KIB, 68 * KIB), (64 * MIB, 64 * MIB + PAGE))
    assert (256 * GIB, 256 * GIB + PAGE) in areas.of("btrfs", 300 * GIB, reads(b"")).spans


def test_swap_the_first_page_of_each_cluster_as_far_as_that_is_quick() -> None:
    found = areas.of("swap", 64 * MIB, reads(b""))
    assert covers(found, 0, 256 * KIB) and all(covers(found, at, at + PAGE) for at in range(0, 64 * MIB, 2 * MIB))
    assert found.total == 256 * KIB + 31 * PAGE
    large = areas.of("swap", 64 * GIB, reads(b""))
    assert len(large.spans) == areas.CLUSTERS and large.end > 63 * GIB
    assert len(areas.of("swap", 64 * GIB, reads(b""), rotational=True).spans) == areas.CLUSTERS_OF_A_SLOW_DISK


@pytest.mark.parametrize("kind", ["", "jfs", "ext4", "xfs", "f2fs", "vfat"])
def test_what_is_unknown_or_cannot_be_read_is_sampled(kind: str) -> None:
    found = areas.of(kind, GIB, reads(b""))
    assert covers(found, 0, 256 * KIB) and covers(found, GIB - 128 * KIB, GIB)
    assert all(covers(found, at, at + PAGE) for at in range(0, GIB, GIB // areas.SAMPLES))


def test_nothing_lies_beyond_the_end() -> None:
    for kind in ("", "swap", "zfs_member", "btrfs"):
        assert areas.of(kind, 300 * KIB, reads(b"")).end <= 300 * KIB
