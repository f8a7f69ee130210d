"""Made-up systems: a root directory from a readable dict, and the bytes of disks, filesystems and kernels."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Mapping
from pathlib import Path

MIB = 1 << 20
Content = str | bytes | None


class Link(str):
    """The text of a symbolic link."""

    __slots__ = ()


def tree(root: Path, files: Mapping[str, Content]) -> Path:
    """Make files from paths; a path ending in `/` or None is a directory, a Link a symbolic link."""
    for name, content in files.items():
        path = root / name
        if content is None or name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Link):
            path.symlink_to(content)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def patched(base: int | bytes, *patches: tuple[int, bytes]) -> bytes:
    """Return `base`, or so many zeros, with bytes put over it."""
    image = bytearray(base)
    for offset, raw in patches:
        image[offset : offset + len(raw)] = raw
    return bytes(image)


def ext4(label: bytes = b"", ident: str = "11111111-2222-3333-4444-555555555555", size: int = 128 << 10) -> bytes:
    """The superblock of an ext4 filesystem with journal, extents and metadata checksums."""
    features = struct.pack("<III", 0x3C, 0x2C2, 0x46B)
    return patched(size, (0x438, b"\x53\xef"), (0x45C, features), (0x468, uuid.UUID(ident).bytes), (0x478, label))


def gpt(disk_id: str, partitions: Mapping[int, str], block: int = 512, size: int = 64 << 10) -> bytes:
    """A protective MBR, a GPT header and entries; `partitions` maps first blocks to GUIDs."""
    entries = b"".join(
        struct.pack("<16s16sQQQ72s", b"\xaf" * 16, uuid.UUID(guid).bytes_le, first, first + 99, 0, b"")
        for first, guid in partitions.items()
    )
    header = struct.pack(
        "<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, 1, 999, 34, 900, uuid.UUID(disk_id).bytes_le, 2, 128, 128, 0,
    )  # fmt: skip
    return patched(size, (450, b"\xee"), (510, b"\x55\xaa"), (block, header), (2 * block, entries))


def mbr(signature: int, *types: int) -> bytes:
    """An MBR with partitions of these types."""
    patches = [(446 + 16 * number + 4, bytes([kind])) for number, kind in enumerate(types)]
    return patched(4096, (0x1B8, struct.pack("<I", signature)), *patches, (510, b"\x55\xaa"))


def bzimage(release: str = "6.1.0-18-amd64", **changes: int) -> bytes:
    """A small bzImage with a sound setup header; `changes` overwrite its fields."""
    fields = {
        "setup_sects": 3, "syssize": 64, "boot_flag": 0xAA55, "jump": 0x6AEB, "magic": 0x53726448, "version": 0x20F,
        "kernel_version": 0x200, "loadflags": 1, "alignment": 0x200000, "relocatable": 1, "xloadflags": 0x7B,
        "cmdline_size": 2047, "pref_address": 0x1000000, "init_size": 0x12AB000,
    } | changes  # fmt: skip
    layout = {
        "setup_sects": (0x1F1, "<B"), "syssize": (0x1F4, "<I"), "boot_flag": (0x1FE, "<H"), "jump": (0x200, "<H"),
        "magic": (0x202, "<I"), "version": (0x206, "<H"), "kernel_version": (0x20E, "<H"), "loadflags": (0x211, "<B"),
        "alignment": (0x230, "<I"), "relocatable": (0x234, "<B"), "xloadflags": (0x236, "<H"),
        "cmdline_size": (0x238, "<I"), "pref_address": (0x258, "<Q"), "init_size": (0x260, "<I"),
    }  # fmt: skip
    patches = [(offset, struct.pack(form, fields[name])) for name, (offset, form) in layout.items()]
    banner = f"{release} (builder@host) #1 SMP\0".encode()
    offset = ((fields["setup_sects"] or 4) + 1) * 512
    return patched(offset + 1024, (0x400, banner), *patches, (offset, b"\xfa" * 1024))
