"""The initramfs that is made again has what the first had: files, links, modes; not the kernel, nothing twice."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import zstandard

from khib_tui.errors import Refused
from khib_tui.formats.cpio import pieces
from khib_tui.handover.place import KERNEL
from khib_tui.initramfs.packing import MARK, Compression, known, squeezed
from khib_tui.restorer import rootfs
from tests.kit.faketree import Link, tree
from tests.kit.newc import Member, members

FILES = {"init": "#!", "bin": Link("usr/bin"), "usr/bin/sh": b"\x7fELF", "dev/": None, "proc/": None, KERNEL: bytes(9000)}


def root(tmp_path: Path, mark: str = "gzip") -> Path:
    made = tree(tmp_path / "root", FILES | {MARK: mark})
    (made / "init").chmod(0o755)
    return made


def test_all_but_the_kernel_is_there_folders_first(tmp_path: Path) -> None:
    found = members(b"".join(pieces(rootfs.entries(root(tmp_path)))))
    assert KERNEL not in found and {"dev", "proc", "khib", "usr/bin"} <= set(found)
    assert found["init"] == Member(0o100755, b"#!", (0, 0)) and found["bin"].data == b"usr/bin"
    assert list(found).index("usr") < list(found).index("usr/bin") < list(found).index("usr/bin/sh")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes device nodes")
def test_devices_keep_their_numbers(tmp_path: Path) -> None:
    here = root(tmp_path)
    try:
        os.mknod(here / "dev/console", 0o020600, os.makedev(5, 1))
    except OSError:
        pytest.skip("no device nodes here")
    assert members(b"".join(pieces(rootfs.entries(here))))["dev/console"] == Member(0o020600, b"", (5, 1))


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    here = root(tmp_path)

    @contextmanager
    def mounted() -> Iterator[Path]:
        yield here

    monkeypatch.setattr(rootfs, "bare", mounted)
    return here


def test_the_hand_over_lies_behind_it(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rootfs, "meminfo", lambda *_: 1 << 30)
    made = bytes(rootfs.archive(b"behind"))
    assert made.endswith(b"behind") and (len(made) - 6) % 512 == 0
    assert members(gzip.decompress(made[:-6]))["usr/bin/sh"].data == b"\x7fELF"


def test_too_little_memory_is_refused_before_it_is_taken(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rootfs, "meminfo", lambda *_: rootfs.SLACK)
    with pytest.raises(Refused, match="are free"):
        rootfs.archive(b"")


@pytest.mark.parametrize("kind", Compression)
def test_an_archive_in_pieces_is_compressed_as_the_kernel_unpacks_it(kind: Compression) -> None:
    import lz4.block

    parts = [os.urandom(100), bytes(3 << 20), b"x" * 700_001]
    data, packed = b"".join(parts), bytes(squeezed(iter(parts), kind))
    assert len(packed) % 512 == 0 and len(packed) < len(data) // 10
    match kind:
        case Compression.GZIP:
            assert gzip.decompress(packed) == data
        case Compression.ZSTD:
            assert zstandard.ZstdDecompressor().decompressobj().decompress(packed) == data
        case Compression.LZ4:
            assert packed[:4] == bytes.fromhex("02214c18")
            out, at = b"", 4
            while size := int.from_bytes(packed[at : at + 4], "little"):
                out += lz4.block.decompress(packed[at + 4 : at + 4 + size], uncompressed_size=8 << 20)
                at += 4 + size
            assert out == data


@pytest.mark.parametrize(("mark", "kind"), [("lz4", "lz4"), ("zstd", "zstd"), ("", "gzip"), ("odd", "gzip")])
def test_how_the_first_was_compressed_stands_in_it(tmp_path: Path, mark: str, kind: str) -> None:
    assert known(root(tmp_path, mark)) == kind
