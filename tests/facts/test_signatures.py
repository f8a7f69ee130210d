"""What partitions hold, and how disks and partitions are named; offsets checked against blkid and sfdisk."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khib_tui.facts.parttable import PartitionTable, read_table
from khib_tui.facts.signatures import TABLE, Magic, Read, Signature, content_of, sniff
from tests.kit.faketree import ext4, gpt, mbr, patched

KIB = 1 << 10
MIB = 1 << 20
UUID = bytes(range(16))
SPELT = "00010203-0405-0607-0809-0a0b0c0d0e0f"
GUID = "8c18ed17-28fe-e745-b593-e7e88e40fde5"
PART = "a1997fcf-a608-ce4d-b118-3f9307321c5d"


def of(image: bytes) -> Read:
    return lambda offset, count: image[offset : offset + count] if offset >= 0 else b""


# What ext2 and ext3 can map with twelve direct blocks and three levels of indirect ones; 2 TiB by their count of sectors.
LARGEST_1K = 1024 * (12 + 256 + 256**2 + 256**3)
LARGEST_4K = (2 << 40) - 4096


def look(image: bytes) -> Signature:
    return sniff(of(image), len(image))


def image(*patches: tuple[int, bytes], size: int = 512 * KIB) -> bytes:
    return patched(size, *patches)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (ext4(b"root"), Signature("ext4", "root", "11111111-2222-3333-4444-555555555555")),
        (image((0x438, b"\x53\xef")), Signature("ext2", file_limit=LARGEST_1K)),
        (image((0x438, b"\x53\xef"), (0x418, b"\2"), (0x45C, b"\x04")), Signature("ext3", file_limit=LARGEST_4K)),
        (image((0x438, b"\x53\xef"), (0x460, b"\x08")), Signature("jbd")),
        (image((0, b"XFSB"), (32, UUID), (108, b"data")), Signature("xfs", "data", SPELT)),
        (image((0x10040, b"_BHRfS_M"), (0x10020, UUID), (0x1012B, b"pool")), Signature("btrfs", "pool", SPELT)),
        (image((0x52, b"FAT32   "), (0x47, b"EFI        "), (0x43, UUID[:4])), Signature("vfat", "EFI", "0302-0100")),
        (image((0x36, b"FAT16   "), (0x2B, b"NO NAME    "), (0x27, UUID[:4])), Signature("vfat", "", "0302-0100")),
        (image((3, b"NTFS    "), (0x48, UUID)), Signature("ntfs", "", "0706050403020100")),
        (image((3, b"EXFAT   "), (0x64, UUID)), Signature("exfat", "", "0302-0100")),
        (image((4086, b"SWAPSPACE2"), (1036, UUID), (1052, b"sw")), Signature("swap", "sw", SPELT)),
        (image((4086, b"S1SUSPEND\0"), (1036, UUID)), Signature("swsuspend", "", SPELT)),
        (image((65526, b"SWAPSPACE2")), Signature("swap")),
        (image((0, b"LUKS\xba\xbe\0\1"), (24, b"cbc-essiv"), (168, SPELT.encode())), Signature("crypto_LUKS", "", SPELT)),
        (image((0, b"LUKS\xba\xbe\0\2"), (24, b"home"), (168, SPELT.encode())), Signature("crypto_LUKS", "home", SPELT)),
        (image((512, b"LABELONE"), (536, b"LVM2 001")), Signature("LVM2_member")),
        (image((4096, b"\xfc\x4e\x2b\xa9"), (4112, UUID), (4128, b"h:0")), Signature("linux_raid_member", "h:0", SPELT)),
        (image((512 * KIB - 8 * KIB, b"\xfc\x4e\x2b\xa9")), Signature("linux_raid_member")),
        (image((512 * KIB - 64 * KIB, b"\xfc\x4e\x2b\xa9")), Signature("linux_raid_member")),
        (image((512 * KIB - 1024, b"Intel Raid ISM Cfg Sig. 1.2")), Signature("isw_raid_member")),
        (image((0x10000, b"SKUL\xba\xbe\0\2")), Signature("crypto_LUKS")),
        (image((MIB, b"SKUL\xba\xbe\0\2"), size=2 * MIB), Signature("crypto_LUKS")),
        (image((0x20, b"ORCLDISKDATA01")), Signature("oracleasm")),
        (image((0, b"SPACEDB ")), Signature("storage_spaces")),
        (image((6 * 512, b"PRIVHEAD")), Signature("ldm_member")),
        (image((0x4014, b"\0\0\0\7version\0")), Signature("zfs_member")),
        (image((132 * KIB, bytes.fromhex("0cb1ba0000000000"))), Signature("zfs_member")),
        (image((0, b"hsqs")), Signature("squashfs")),
        (image((0x8001, b"CD001"), (0x8028, b"DEBIAN 12".ljust(32))), Signature("iso9660", "DEBIAN 12")),
        (image((3, b"-FVE-FS-")), Signature("BitLocker")),
        (image((0, b"KHIBIMG1")), Signature("khib")),
        (image(), Signature()),
        (b"", Signature()),
    ],
    ids=lambda value: value.fstype or "nothing" if isinstance(value, Signature) else "",
)
def test_sniff(content: bytes, expected: Signature) -> None:
    assert look(content) == expected


@pytest.mark.parametrize("magic", TABLE, ids=lambda magic: f"{magic.kind}@{magic.offset}")
def test_every_row_is_found_and_outranks_a_left_over_khib_magic(magic: Magic) -> None:
    size = 512 * KIB
    offset = magic.offset if magic.offset >= 0 else size + magic.offset
    assert look(image((0, b"KHIBIMG1"), (offset, magic.magic))).fstype == magic.kind


def test_labels_are_clean() -> None:
    assert look(ext4(b"\x1b[31mred")).label == "\\x1b[31mred"


@settings(max_examples=50)
@given(st.binary(max_size=600), st.integers(0, 70_000))
def test_sniff_takes_any_bytes(junk: bytes, offset: int) -> None:
    content = image((offset, junk), size=72 * KIB)[: offset + len(junk)]
    found = sniff(of(content), 1 << 40)
    assert found.fstype or found == Signature()


def test_gpt_names_disk_and_partitions() -> None:
    table = read_table(of(gpt(GUID, {2048: PART})), 512)
    assert (table.kind, table.disk_id) == ("gpt", GUID)
    assert table.partuuid(2048 * 512, 1) == PART
    assert table.partuuid(4096 * 512, 2) == ""


def test_gpt_on_a_disk_with_4k_blocks() -> None:
    content = gpt(GUID, {256: PART}, block=4096)
    assert read_table(of(content), 4096).partuuid(MIB, 1) == PART
    assert read_table(of(content), 512).kind == "dos"


@pytest.mark.parametrize("patch", [(80, b"\xff" * 4), (84, b"\0\0\0\0"), (72, b"\xff" * 8)])
def test_gpt_with_absurd_entries_still_names_the_disk(patch: tuple[int, bytes]) -> None:
    content = bytearray(gpt(GUID, {2048: PART}))
    content[512 + patch[0] : 512 + patch[0] + len(patch[1])] = patch[1]
    assert read_table(of(bytes(content)), 512) == PartitionTable("gpt", GUID)


def test_mbr() -> None:
    table = read_table(of(mbr(0x23226BC8, 0x83, 0x82)), 512)
    assert (table.kind, table.disk_id, table.partuuid(1 << 20, 2)) == ("dos", "23226bc8", "23226bc8-02")
    assert read_table(of(mbr(0, 0x83)), 512) == PartitionTable("dos", "", types={0: "83"})


@pytest.mark.parametrize("content", [b"", mbr(7), patched(512, (446, b"\x42"), (450, b"\x83"), (510, b"\x55\xaa"))])
def test_a_boot_sector_is_no_table(content: bytes) -> None:
    assert read_table(of(content), 512) == PartitionTable()


@settings(max_examples=50)
@given(st.binary(max_size=1200))
def test_tables_take_any_bytes(junk: bytes) -> None:
    for start in (b"", mbr(1, 0x83)[:512] + b"EFI PART"):
        assert read_table(of(start + junk), 512).kind in ("", "gpt", "dos")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (bytes(4 * MIB), "empty"),
        (b"\xff" * 4 * MIB, "empty"),
        (bytes(100 * KIB), "empty"),
        (patched(4 * MIB, (0, b"\1")), "unknown"),
        (patched(4 * MIB, (MIB - 1, b"\1")), "unknown"),
        (patched(4 * MIB, (4 * MIB - 1, b"\1")), "unknown"),
        (patched(4 * MIB, (3 * MIB, b"\1")), "unknown"),
        (b"\xff" + bytes(4 * MIB), "unknown"),
    ],
)
def test_only_a_blank_head_and_tail_are_known_to_be_empty(content: bytes, expected: str) -> None:
    assert content_of(of(content), len(content)) == expected


def test_what_cannot_be_read_to_its_end_is_not_known_to_be_empty() -> None:
    def read(offset: int, count: int) -> bytes:
        if offset:
            raise OSError(5, "Input/output error")
        return bytes(count)

    assert content_of(read, 4 * MIB) == "unknown"
