"""What a partition holds, by the magic bytes of filesystems and the like; kinds are spelled as `blkid` does.

Offsets are bytes; negative ones count from the end of the device. A khib image counts only where nothing else is found:
whoever formats a partition after us may leave our magic in place.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable, Iterator

from msgspec import Struct

from khib_tui.model.machine import Content
from khib_tui.model.target import KHIB, LENT_SWAP
from khib_tui.model.text import clean
from khib_tui.model.units import KIB, MIB

Read = Callable[[int, int], bytes]
"""`read(offset, count)` gives at most `count` bytes, fewer at the end or where the device cannot be read."""

SWAP_KINDS = frozenset({"swap", "swsuspend"})
SWAPSPACE = b"SWAPSPACE2"
LENT = b"LINHIB0001"
"""The signature of a swap while an image lies behind its header.

For the kernel this is no swap; blkid and udev see UUID and label all the same, and util-linux's swapon makes a swap of it.
"""
_HEAD = 260 * KIB
_EXT3_JOURNAL, _EXT_JOURNAL_DEVICE = 0x4, 0x8
# Features that ext3 does not know: incompat extents, 64bit, mmp, flex_bg, ...; ro_compat huge_file, gdt_csum, ...
_EXT4_INCOMPAT, _EXT4_RO_COMPAT = ~0x1F & 0xFFFFFFFF, ~0x7 & 0xFFFFFFFF
_LUKS2_SECOND = b"SKUL\xba\xbe\0\2"
# Where the second header of LUKS2 may lie besides: as far behind as its metadata is large.
_LUKS2_FAR = tuple(KIB << power for power in range(9, 13))
_EXT_TWO_TIB = 2 << 40
_EMPTY = (0x00, 0xFF)
_ZFS_MAGICS = frozenset({bytes.fromhex("0cb1ba0000000000"), bytes.fromhex("0000000000bab10c")})


class Signature(Struct, frozen=True):
    """What was found; label and UUID are empty where the kind has none or keeps it elsewhere.

    `file_limit` is the size of the largest file of an ext2 or ext3 filesystem, 0 for others.
    """

    fstype: str = ""
    label: str = ""
    uuid: str = ""
    file_limit: int = 0


class Magic(Struct, frozen=True):
    """One row of the table: `magic` at `offset` means `kind`; label is (offset, bytes), uuid (offset, spelling)."""

    kind: str
    offset: int
    magic: bytes
    label: tuple[int, int] | None = None
    uuid: tuple[int, str] | None = None


TABLE = (
    Magic("crypto_LUKS", 0, b"LUKS\xba\xbe\0\1", uuid=(168, "text")),
    Magic("crypto_LUKS", 0, b"LUKS\xba\xbe\0\2", (24, 48), (168, "text")),
    *(Magic("crypto_LUKS", offset, _LUKS2_SECOND) for offset in (0x4000, 0x8000, 0x10000, 0x20000, 0x40000)),
    Magic("BitLocker", 3, b"-FVE-FS-"),
    *(Magic("LVM2_member", sector * 512 + 24, b"LVM2 001") for sector in range(4)),
    Magic("linux_raid_member", 0, b"\xfc\x4e\x2b\xa9", (32, 32), (16, "uuid")),
    Magic("linux_raid_member", 4096, b"\xfc\x4e\x2b\xa9", (4128, 32), (4112, "uuid")),
    Magic("isw_raid_member", -1024, b"Intel Raid ISM Cfg Sig."),
    Magic("ddf_raid_member", -512, b"\xde\x11\xde\x11"),
    Magic("bcache", 4096 + 24, bytes.fromhex("c68573f64e1a45ca8265f57f48ba6d81"), uuid=(4096 + 40, "uuid")),
    Magic("bcachefs", 4096 + 24, bytes.fromhex("c68573f666ce90a9d96a60cf803df7ef"), uuid=(4096 + 56, "uuid")),
    Magic("zfs_member", 0x4014, b"\0\0\0\7version"),
    Magic("oracleasm", 0x20, b"ORCLDISK"),
    Magic("storage_spaces", 0, b"SPACEDB "),
    Magic("ldm_member", 6 * 512, b"PRIVHEAD"),
    Magic("ceph_bluestore", 0, b"bluestore block device"),
    Magic("vdo", 0, b"dmvdo001"),
    Magic("xfs", 0, b"XFSB", (108, 12), (32, "uuid")),
    Magic("btrfs", 0x10040, b"_BHRfS_M", (0x1012B, 256), (0x10020, "uuid")),
    Magic("f2fs", 0x400, b"\x10\x20\xf5\xf2", uuid=(0x46C, "uuid")),
    Magic("gfs2", 0x10000, b"\x01\x16\x19\x70"),
    Magic("jfs", 0x8000, b"JFS1"),
    Magic("reiserfs", 0x10034, b"ReIsEr", (0x10064, 16), (0x10054, "uuid")),
    Magic("hfsplus", 0x400, b"H+\0\4"),
    Magic("hfsplus", 0x400, b"HX\0\5"),
    Magic("apfs", 0x20, b"NXSB"),
    Magic("ntfs", 3, b"NTFS    ", uuid=(0x48, "serial64")),
    Magic("ReFS", 3, b"ReFS\0\0\0\0"),
    Magic("exfat", 3, b"EXFAT   ", uuid=(0x64, "serial32")),
    Magic("vfat", 0x52, b"FAT32   ", (0x47, 11), (0x43, "serial32")),
    *(Magic("vfat", 0x36, name, (0x2B, 11), (0x27, "serial32")) for name in (b"FAT12   ", b"FAT16   ", b"FAT     ")),
    Magic("erofs", 0x400, b"\xe2\xe1\xf5\xe0", (0x440, 16), (0x430, "uuid")),
    Magic("squashfs", 0, b"hsqs"),
    Magic("iso9660", 0x8001, b"CD001", (0x8028, 32)),
    Magic("udf", 0x8001, b"BEA01"),
    *(
        Magic(kind, page - 10, magic, (1052, 16), (1036, "uuid"))
        for kind, magic in (("swap", SWAPSPACE), ("swap", b"SWAP-SPACE"), ("swsuspend", b"S1SUSPEND\0"),
                            ("swsuspend", b"S2SUSPEND\0"), ("swsuspend", b"ULSUSPEND\0"), (LENT_SWAP, LENT))
        for page in (4096, 65536)
    ),
)  # fmt: skip
OURS = Magic(KHIB, 0, b"KHIBIMG1")


def sniff(read: Read, size: int) -> Signature:
    """Return what a device of `size` bytes holds; an empty Signature for nothing we know."""
    head = read(0, _HEAD)
    for magic in TABLE:
        if _at(read, head, size, magic.offset, len(magic.magic)) == magic.magic:
            return _describe(magic, head)
    for special in (_ext, _zfs):
        if found := special(head):
            return found
    if any(read(offset, 8) == _LUKS2_SECOND for offset in _LUKS2_FAR if offset < size):
        return Signature("crypto_LUKS")
    if _md_at_end(read, size):
        return Signature("linux_raid_member")
    return Signature(KHIB) if head.startswith(OURS.magic) else Signature()


def content_of(read: Read, size: int) -> Content:
    """Return whether a device without a signature is known to be empty.

    It is if its first and its last MiB hold nothing: all zero, or all ones, as erased flash gives. What somebody uses that we
    do not know by name, encrypted without a header for instance, has something there.

    :param read: raises OSError where the device cannot be read.
    """
    try:
        head, tail = read(0, MIB), read(max(size - MIB, 0), MIB)
    except OSError:
        return "unknown"
    return "empty" if _blank(head) and _blank(tail) else "unknown"


def _blank(raw: bytes) -> bool:
    return any(raw.count(byte) == len(raw) for byte in _EMPTY)


def _at(read: Read, head: bytes, size: int, offset: int, count: int) -> bytes:
    if offset >= 0:
        return head[offset : offset + count]
    return read(size + offset, count) if size + offset >= 0 else b""


def _describe(magic: Magic, head: bytes) -> Signature:
    label = "" if magic.label is None else _text(head[magic.label[0] : sum(magic.label)])
    return Signature(magic.kind, label, "" if magic.uuid is None else _uuid(head, *magic.uuid))


def _text(raw: bytes) -> str:
    found = raw.partition(b"\0")[0].decode(errors="replace").rstrip()
    return "" if found == "NO NAME" else clean(found)


def _uuid(head: bytes, offset: int, spelling: str) -> str:
    raw = head[offset : offset + 16]
    match spelling:
        case "text":
            return _text(head[offset : offset + 40])
        case "uuid" if len(raw) == 16 and any(raw):
            return str(uuid.UUID(bytes=raw))
        case "serial32" if len(raw) >= 4:
            return f"{raw[3]:02X}{raw[2]:02X}-{raw[1]:02X}{raw[0]:02X}"
        case "serial64" if len(raw) >= 8:
            return raw[7::-1].hex().upper()
    return ""


def _ext(head: bytes) -> Signature | None:
    if head[0x438:0x43A] != b"\x53\xef" or len(head) < 0x488:
        return None
    compat, incompat, ro_compat = struct.unpack_from("<III", head, 0x45C)
    if incompat & _EXT_JOURNAL_DEVICE:
        kind = "jbd"
    elif incompat & _EXT4_INCOMPAT or ro_compat & _EXT4_RO_COMPAT:
        kind = "ext4"
    else:
        kind = "ext3" if compat & _EXT3_JOURNAL else "ext2"
    limit = _indirect_limit(head) if kind in ("ext2", "ext3") else 0
    return Signature(kind, _text(head[0x478:0x488]), _uuid(head, 0x468, "uuid"), limit)


def _indirect_limit(head: bytes) -> int:
    """Return the bytes of the largest file that is mapped by indirect blocks; 0 if the block size makes no sense."""
    power = int(struct.unpack_from("<I", head, 0x418)[0])
    if power > 6:
        return 0
    block = KIB << power
    fan = block // 4
    return min((12 + fan + fan**2 + fan**3) * block, _EXT_TWO_TIB - block)


def _zfs(head: bytes) -> Signature | None:
    """Find an uberblock in the first vdev label: a ring of slots of 1 KiB or more at 128 KiB."""
    slots = range(128 * KIB, 256 * KIB, KIB)
    return Signature("zfs_member") if any(head[slot : slot + 8] in _ZFS_MAGICS for slot in slots) else None


def _md_at_end(read: Read, size: int) -> bool:
    """Look for md superblocks of format 1.0 and 0.90, which lie near the end."""
    return any(read(offset, 4) == b"\xfc\x4e\x2b\xa9" for offset in _md_offsets(size) if offset > 0)


def _md_offsets(size: int) -> Iterator[int]:
    yield (size // 512 - 16 & ~7) * 512
    yield (size & ~0xFFFF) - 0x10000
