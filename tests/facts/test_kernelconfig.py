"""A kernel without a configuration file is looked into."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

from khib_tui.facts.kernelconfig import look
from khib_tui.model.machine import KernelFile
from tests.kit import faketree

HEAD = b"\x7fELF\x02\x01" + bytes(10) + struct.pack("<HH", 2, 62)
MARKS = b"kexec_load_disabled\0Initramfs unpacking failed: %s\0"


def kernel(root: Path, elf: bytes) -> KernelFile:
    payload = gzip.compress(elf)
    data = bytearray(faketree.bzimage(syssize=len(payload) // 16 + 1))
    struct.pack_into("<II", data, 0x248, 0, len(payload))
    (root / "boot").mkdir()
    (root / "boot/vmlinuz").write_bytes(bytes(data[:2048]) + payload + bytes(16))
    return KernelFile("/boot/vmlinuz", "6.1", 30 << 20, 16 << 20, True)


def test_the_configuration_inside_is_found(tmp_path: Path) -> None:
    inside = HEAD + b"IKCFG_ST" + gzip.compress(b"CONFIG_KEXEC=y\n") + b"IKCFG_ED"
    seen = look(kernel(tmp_path, inside), tmp_path)
    assert (seen.kernel.config, seen.source, seen.lacking) == ({"KEXEC": "y"}, "image", ())


def test_without_one_the_code_tells_what_is_not_there(tmp_path: Path) -> None:
    seen = look(kernel(tmp_path, HEAD + b"kexec_load_disabled\0"), tmp_path)
    assert (seen.kernel.config, seen.lacking) == ({}, ("BLK_DEV_INITRD",))


def test_a_kernel_of_another_architecture_is_told(tmp_path: Path) -> None:
    assert look(kernel(tmp_path, HEAD[:18] + b"\x03\0" + MARKS), tmp_path).lacking == ("X86_64",)


def test_what_cannot_be_unpacked_stays_unknown(tmp_path: Path) -> None:
    gone = look(KernelFile("/boot/gone", "6.1", 1, 1, True), tmp_path)
    assert (gone.source, gone.lacking) == ("", ())
