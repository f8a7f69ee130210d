"""Everything that is read and was written by others: a sound example of each, and its parser."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import lz4.frame
import msgspec
import zstandard

from khib_tui.events import types
from khib_tui.formats import bzimage, vmcore
from khib_tui.formats.vmcore import MemoryRun
from khib_tui.handover import handover, report
from khib_tui.handover.cmdline import Words
from khib_tui.image import header as headers
from khib_tui.image import manifest as manifests
from khib_tui.image.codec import Codec, decompress
from khib_tui.image.export.contents import PlainFile, read_head
from khib_tui.image.export.snapshot import notes_of
from khib_tui.image.header import Header, State
from khib_tui.image.store import BLOCK
from khib_tui.initramfs import elfdeps, modules, unpack
from khib_tui.model import machine, settings, target, units
from khib_tui.model.origin import DiskPrint, Origin
from khib_tui.model.units import MIB, PAGE
from khib_tui.pagefilter import vmcoreinfo
from khib_tui.restorer import vmcore as restored
from khib_tui.seal import file as sealfile
from khib_tui.seal import keyslots
from khib_tui.seal.keyslots import Cipher, Keyslot, Kind, Seal
from khib_tui.target import catalog
from khib_tui.target.catalog import Found
from tests.kit import MACHINES, exported, saved
from tests.kit.machines import BIOS

SEAL = Seal(Cipher.AES, (Keyslot(Kind.PASSPHRASE, 3, 65536, 4, b"s" * 16, b"w" * 48),))
HEADER = Header("ab" * 16, State.COMPLETE, 3, 1.7e9, "laptop", "6.1", 16 << 30, 2 << 30, 3 * MIB, 999, "f" * 64, "", SEAL)


@dataclass(frozen=True)
class Parser:
    """A sound example, and what reads it: from its bytes, and in a folder of its own."""

    name: str
    sound: bytes
    read: Callable[[bytes, Path], object]

    def __str__(self) -> str:
        return self.name


def _file(read: Callable[[Path], object], name: str = "file") -> Callable[[bytes, Path], object]:
    def from_file(data: bytes, folder: Path) -> object:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return read(path)

    return from_file


def _header(body: bytes, _: Path) -> object:
    """Read a header whose digest is right, and show it in every way it is shown."""
    body = body[: BLOCK - headers._PREFIX.size]
    prefix = headers._PREFIX.pack(headers.MAGIC, headers.VERSION, len(body), hashlib.sha256(body).digest())
    found = headers.unpack((prefix + body).ljust(BLOCK, b"\0"))
    if found:
        item = Found(target.from_word("/dev/vda1", BIOS.devices), "/dev/vda1", found)
        types.encode(types.Result("x", True, catalog.line(item), catalog.facts(item)))
        headers.pack(msgspec.structs.replace(found, state=State.ABANDONED, reason="r" * 200))
        keyslots.describe(found.seal)
    return found


def _page(data: bytes, _: Path) -> object:
    """Read a report as A does, from its page."""
    body = data[: report._ROOM]
    page = bytes(report.COOKIE_SIZE) + report._LENGTH.pack(len(body)) + body
    return report.ReportPage.read(SimpleNamespace(pool=page.ljust(PAGE, b"\0"), offset=0))  # type: ignore[arg-type]


def _vmcore(path: Path) -> object:
    file = PlainFile(path)
    try:
        notes_of(file, read_head(file))
        return restored.load(file, 1, 1)
    finally:
        file.close()


def _text(read: Callable[[str], object]) -> Callable[[bytes, Path], object]:
    return lambda data, _: read(data.decode(errors="surrogateescape"))


def _core() -> bytes:
    runs = [MemoryRun(PAGE, PAGE, 2 * PAGE), MemoryRun(8 * PAGE, PAGE, PAGE)]
    told = vmcore.note("VMCOREINFO", b"OSRELEASE=6.1\n")
    return vmcore.header(vmcore.place(runs, len(told)), told, 0xFFFF888000000000) + bytes(2 * PAGE)


def _kernel() -> bytes:
    data = bytearray(8 * PAGE)
    data[bzimage.SETUP_SECTS], data[bzimage.HEADER_END], data[bzimage.LOADFLAGS] = 7, 0x6A, 1
    struct.pack_into("<H", data, bzimage.BOOT_FLAG, bzimage.BOOT_FLAG_VALUE)
    data[bzimage.MAGIC : bzimage.MAGIC + 4] = bzimage.MAGIC_VALUE
    struct.pack_into("<HI", data, bzimage.VERSION, 0x20F, 0)
    struct.pack_into("<H", data, bzimage.KERNEL_VERSION, 0x300)
    data[0x500:0x50A] = b"6.1.0 test"
    struct.pack_into("<I", data, bzimage.SYSSIZE, 4 * PAGE // bzimage.PARAGRAPH)
    struct.pack_into("<I", data, bzimage.INIT_SIZE, MIB)
    return bytes(data)


def _frame(codec: Codec) -> Callable[[bytes, Path], object]:
    return lambda data, _: decompress(codec, memoryview(data), 3000)


def _library_of(path: Path) -> object:
    elfdeps.dynamic.cache_clear()
    return elfdeps.dynamic(path), elfdeps.trimmed(path.read_bytes())


def _modules(path: Path) -> object:
    return modules.closure("6.1", ["a", "b"], path.parents[3])


def parsers() -> list[Parser]:
    """Return the table."""
    manifest = exported_manifest()
    given = msgspec.json.encode(saved.handover(vmcoreinfo=exported.VMCOREINFO))
    pair = b"kernel/a.ko.xz: kernel/b.ko\nkernel/b.ko:\n"
    module = b"module " * 500
    told = report.Report(report.Outcome.RESUMED, "text", "hint", "HIB-E-X", "ab" * 16, 5, 6, 7.0)
    return [
        Parser("header", msgspec.json.encode(HEADER), _header),
        Parser("slot", headers.pack(HEADER), lambda data, _: headers.unpack(data.ljust(BLOCK, b"\0")[:BLOCK])),
        Parser("manifest", manifest, lambda data, _: manifests.parse(data)),
        Parser("settings", _toml(), _file(settings.load)),
        Parser("seal", msgspec.json.encode(SEAL), _file(sealfile.load)),
        Parser("facts", (MACHINES / "qemu-bios-1g.json").read_bytes(), _file(machine.load)),
        Parser("hand-over", given, lambda data, folder: _file(lambda _: handover.receive(folder), handover.PATH)(data, folder)),
        Parser("report", msgspec.json.encode(told), _page),
        Parser("command line", b"quiet khib.image=abc-1:/x khib.tty=80x25 khib.term=linux khib.countdown=5", _file(Words.read)),
        Parser("vmcore", _core(), _file(_vmcore)),
        Parser("notes", vmcore.note("CORE", b"x" * 336, 1) * 4, lambda data, _: list(vmcore.notes(data))),
        Parser("kernel", _kernel(), _file(bzimage.read)),
        Parser("zstd frame", zstandard.compress(module[:3000]), _frame(Codec.ZSTD)),
        Parser("lz4 frame", lz4.frame.compress(module[:3000], store_size=True), _frame(Codec.LZ4)),
        Parser("modules.dep", pair, _file(_modules, "lib/modules/6.1/modules.dep")),
        Parser("module .xz", lzma.compress(module), _file(unpack.content, "m.ko.xz")),
        Parser("module .zst", zstandard.compress(module), _file(unpack.content, "m.ko.zst")),
        Parser("module .gz", gzip.compress(module, mtime=0), _file(unpack.content, "m.ko.gz")),
        Parser("library", _library(), _file(_library_of)),
        Parser("size", b"1.5 GiB", _text(units.parse_size)),
        Parser("target", b"/dev/vda2:/dir/image.khib", _text(target.parse)),
        Parser("vmcoreinfo", exported.VMCOREINFO.encode(), _text(lambda text: vmcoreinfo.parse(text).number("phys_base"))),
    ]


def exported_manifest() -> bytes:
    """Return a manifest as the saver writes it."""
    given = saved.handover()
    fields = {name: getattr(given, name) for name in Origin.__struct_fields__}
    disk = DiskPrint("vda", "d", 1, 2, "s", "label", "f" * 64)
    made = manifests.Manifest(
        **fields, saver_release="6.1", saver_version="#1", way_back=manifests.WayBack(1, 1 << 63, PAGE, "00" * 32),
        disks=(disk,), codec=Codec.ZSTD, payload_offset=1, payload_size=2, raw_size=3, frames=4, index_offset=5, index_size=6,
        index_digest="f" * 64, save_seconds=1.5, free_bytes=0, zero_bytes=0,
    )  # fmt: skip
    return msgspec.json.encode(made)


def _toml() -> bytes:
    return b'kernel = "/boot/vmlinuz"\nregion = 268435456\ncodec = "zstd"\nverify = true\ncountdown = 10\n'


def _library() -> bytes:
    """Return a small dynamic ELF file: a header, PT_DYNAMIC, names."""
    names = b"\0libc.so.6\0libm.so.6\0"
    tags = [(5, 0x1000 + 0x200), (10, len(names)), (1, 1), (1, 11), (0, 0)]
    head = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01" + bytes(9), 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 64, 0, 0
    )  # fmt: skip
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, 0x1000, 0x1000, 0x400, 0x400, 0x1000)
    dynamic = struct.pack("<IIQQQQQQ", 2, 6, 0x300, 0x1300, 0x1300, 16 * len(tags), 16 * len(tags), 8)
    data = bytearray(0x400)
    data[: len(head)] = head
    data[64:176] = load + dynamic
    data[0x200 : 0x200 + len(names)] = names
    data[0x300 : 0x300 + 16 * len(tags)] = b"".join(struct.pack("<QQ", *tag) for tag in tags)
    return bytes(data)
