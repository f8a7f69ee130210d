"""Kernels, modules and a source of them, all tiny, for builds that take no time."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from khib_tui.runner import run
from tests.kit import faketree

RELEASE = "6.1.0-9-amd64"
VERSION = "6.1.27-1"
LAYOUT = 0xA11
MAGIC = f"{RELEASE} SMP mod_unload modversions "
CONFIG = """\
CONFIG_CC_VERSION_TEXT="gcc there"
CONFIG_MODVERSIONS=y
CONFIG_MODULE_SIG=y
CONFIG_SYSTEM_TRUSTED_KEYS="debian/certs/key.pem"
CONFIG_DEBUG_INFO_BTF=y
CONFIG_DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT=y
# CONFIG_DEBUG_INFO_NONE is not set
# CONFIG_KEXEC_JUMP is not set
"""
_HEAD = b"\x7fELF\x02\x01" + bytes(10) + struct.pack("<HH", 2, 62)
MAKEFILE = """\
olddefconfig:
	@sed -i 's/gcc there/gcc here/' .config
bzImage: one.o two.o
	@test "$(KERNELRELEASE)" = 6.1.0-9-amd64-khib
	@mkdir -p arch/x86/boot
	@cp given/bzImage arch/x86/boot/bzImage
	@cp given/vmlinux.symvers given/System.map .
	@echo '  LD      vmlinux'
kernel/module/version.o:
	@mkdir -p kernel/module
	@cp given/layout kernel/module/.version.o.cmd
one.o two.o:
	@test ! -e fail-$@ || { echo "$@: error: no such thing"; exit 1; }
	@echo '  CC      $@'
	@touch $@
"""


def image(banner: str, payload: bytes = b"\x7fELF" + bytes(2000)) -> bytes:
    """Return a bzImage with this version and this ELF file."""
    small = bytearray(faketree.bzimage(syssize=len(payload) // 16 + 1, init_size=len(payload) + 32))
    struct.pack_into("<II", small, 0x248, 0, len(payload))
    small[0x400 : 0x400 + len(banner) + 1] = banner.encode() + b"\0"
    return bytes(small[: 4 * 512]) + payload + bytes(16)


def module(vermagic: str = MAGIC, versions: Mapping[str, int] = {}, exports: Sequence[str] = ()) -> bytes:
    """Return a module: an ELF file with the sections that tell what it fits."""
    crcs = {"module_layout": LAYOUT, **versions}
    content = {
        ".modinfo": f"license=GPL\0vermagic={vermagic}\0".encode(),
        "__versions": b"".join(struct.pack("<Q56s", crc, name.encode()) for name, crc in crcs.items()),
        "__ksymtab_strings": b"".join(name.encode() + b"\0" for name in exports),
        ".shstrtab": b"",
    }
    names = b"\0" + b"".join(name.encode() + b"\0" for name in content)
    content[".shstrtab"] = names
    head, body, table = 0x40, b"", bytes(64)
    for name, data in content.items():
        place = names.index(name.encode() + b"\0")
        table += struct.pack("<IIQQQQIIQQ", place, 1, 0, 0, head + len(body), len(data), 0, 0, 1, 0)
        body += data
    start = bytearray(_HEAD.ljust(head, b"\0"))
    struct.pack_into("<Q", start, 0x28, head + len(body))
    struct.pack_into("<HH", start, 0x3C, len(content) + 1, len(content))
    return bytes(start) + body + table


def kernel_source(
    archive: Path,
    symbols: Mapping[str, int] = {"printk": 0x1234},
    kind: str = "SMP",
    layout: int = LAYOUT,
) -> Path:
    """Make an archive as linux-source has it, whose make gives a kernel with these symbols, of this kind."""
    ours = f"{RELEASE}-khib {kind} mod_unload modversions "
    symbols = {**symbols, "module_layout": layout}
    lines = [f"{crc:#010x}\t{name}\tvmlinux\tEXPORT_SYMBOL\t" for name, crc in symbols.items()]
    files: dict[str, faketree.Content] = {
        "linux/Makefile": MAKEFILE,
        "linux/given/bzImage": image(f"{RELEASE}-khib (me)", b"\x7fELF" + ours.encode() + bytes(2000)),
        "linux/given/layout": f"savedcmd := gcc\n\n#SYMVER module_layout {layout:#010x}\n",
        "linux/given/vmlinux.symvers": "\n".join(lines) + "\n",
        "linux/given/System.map": "0 T start\n",
    }
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        faketree.tree(Path(folder), files)
        run(["tar", "--create", "--xz", "--file", archive, "--directory", folder, "linux"])
    return archive
