"""Compressed modules: whole, or an error that names the file."""

from __future__ import annotations

import gzip
import lzma
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from khib_tui.errors import KhibError
from khib_tui.initramfs import unpack

PLAIN = random.Random(5).randbytes(60_000) + bytes(60_000)


def _stream(data: bytes) -> bytes:
    """Pack without telling how large the content is, as the kernel's build does."""
    packer = zstandard.ZstdCompressor().compressobj()
    return packer.compress(data) + packer.flush()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "m.ko": bytes, "m.ko.xz": lzma.compress, "m.ko.gz": gzip.compress, "m.ko.zst": zstandard.compress,
}  # fmt: skip


@pytest.mark.parametrize("name", PACKED)
def test_a_whole_module_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(PACKED[name](PLAIN))
    assert unpack.content(tmp_path / name) == PLAIN


def test_a_stream_that_does_not_say_its_size_is_read(tmp_path: Path) -> None:
    (tmp_path / "m.ko.zst").write_bytes(_stream(PLAIN))
    assert unpack.content(tmp_path / "m.ko.zst") == PLAIN


@pytest.mark.parametrize("part", [0, 1, 10, 0.5, -20, -1])
@pytest.mark.parametrize("name", ["m.ko.xz", "m.ko.gz", "m.ko.zst"])
def test_a_part_of_a_module_is_refused(name: str, part: float, tmp_path: Path) -> None:
    packed = PACKED[name](PLAIN)
    (tmp_path / name).write_bytes(packed[: int(len(packed) * part) if part == 0.5 else int(part)])
    with pytest.raises(KhibError) as caught:
        unpack.content(tmp_path / name)
    assert caught.value.ident == "HIB-E-MODULE" and name in caught.value.message


@pytest.mark.parametrize("name", ["m.ko.xz", "m.ko.gz"])
def test_a_damaged_module_is_refused(name: str, tmp_path: Path) -> None:
    packed = bytearray(PACKED[name](PLAIN))
    packed[len(packed) // 2] ^= 0xFF
    (tmp_path / name).write_bytes(packed)
    with pytest.raises(KhibError) as caught:
        unpack.content(tmp_path / name)
    assert caught.value.ident == "HIB-E-MODULE"


@pytest.mark.parametrize("name", ["m.ko.xz", "m.ko.gz", "m.ko.zst"])
def test_a_module_that_grows_without_end_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MOST", 1 << 20)
    (tmp_path / name).write_bytes(PACKED[name](bytes(32 << 20)))
    with pytest.raises(KhibError, match="too large"):
        unpack.content(tmp_path / name)


def test_a_module_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(KhibError) as caught:
        unpack.content(tmp_path / "gone.ko")
    assert caught.value.ident == "HIB-E-MODULE"
