"""Taking a kernel out of its bzImage, however it is packed."""

from __future__ import annotations

import gzip
import lzma
import random
import struct
from collections.abc import Callable
from pathlib import Path

import lz4.block
import pytest
import zstandard

from khib_tui.formats import bzimage, kernelimage
from tests.kit import faketree

CONFIG = "CONFIG_KEXEC=y\nCONFIG_KEXEC_JUMP=y\n"
HEAD = b"\x7fELF\x02\x01" + bytes(10) + struct.pack("<HH", 2, 62)
ELF = HEAD + random.Random(7).randbytes(9 << 20) + b"IKCFG_ST" + gzip.compress(CONFIG.encode()) + b"IKCFG_ED" + bytes(64)


def legacy(data: bytes) -> bytes:
    """Pack as the kernel's build does, which puts the size behind the last block."""
    packed = [lz4.block.compress(data[at : at + (8 << 20)], store_size=False) for at in range(0, len(data), 8 << 20)]
    return (
        struct.pack("<I", 0x184C2102)
        + b"".join(struct.pack("<I", len(it)) + it for it in packed)
        + struct.pack("<I", len(data))
    )


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "xz": lzma.compress, "gz": gzip.compress, "zst": zstandard.compress, "lz4": legacy, "plain": bytes,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
}  # fmt: skip


def image(tmp_path: Path, payload: bytes) -> bzimage.BzImage:
    small = bytearray(faketree.bzimage(syssize=len(payload) // 16 + 1, init_size=len(payload) + 32))
    struct.pack_into("<II", small, 0x248, 0, len(payload))
    path = tmp_path / "vmlinuz"
    path.write_bytes(bytes(small[: 4 * 512]) + payload + bytes(16))
    return bzimage.read(path)


@pytest.mark.parametrize("kind", PACKERS)
def test_a_kernel_and_its_configuration_come_out(kind: str, tmp_path: Path) -> None:
    found = kernelimage.content(image(tmp_path, PACKERS[kind](ELF)))
    assert found == ELF and kernelimage.is_x86_64(found)
    assert kernelimage.configuration(found) == CONFIG


@pytest.mark.parametrize("part", [0.5, 0.99])
@pytest.mark.parametrize("kind", ["xz", "gz", "zst", "lz4", "lzma"])
def test_a_part_of_a_kernel_is_none(kind: str, part: float, tmp_path: Path) -> None:
    packed = PACKERS[kind](ELF)
    assert kernelimage.content(image(tmp_path, packed[: int(len(packed) * part)])) == b""


def test_what_is_no_kernel_has_no_configuration(tmp_path: Path) -> None:
    assert kernelimage.content(image(tmp_path, b"rubbish" * 99)) == b""
    assert kernelimage.content(image(tmp_path, gzip.compress(b"no ELF"))) == b""
    assert kernelimage.configuration(HEAD) == "" == kernelimage.configuration(b"IKCFG_STxxIKCFG_ED")
    assert not kernelimage.is_x86_64(b"")
