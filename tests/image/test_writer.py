"""What is written: a vmcore without its zeros, compressed as hard as time allows."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from khib_tui.image import family, reader
from khib_tui.image.codec import Codec
from khib_tui.image.effort import Law
from khib_tui.image.manifest import read_index
from khib_tui.image.store import Store
from khib_tui.image.stream import PIECE, Stream
from khib_tui.model.choices import CodecChoice
from khib_tui.model.units import MIB, PAGE
from khib_tui.restorer import restore as restorer
from tests.kit.saved import RAM, REGION, handover, memory_copy, restore, save


def stored_and_raw(target: Path) -> list[tuple[int, int]]:
    """What each frame takes and holds."""
    with Store(target) as store:
        return [(frame.stored, frame.raw) for frame in read_index(store, restorer.examine(store)[1])]


def test_the_longer_the_queue_the_harder_is_compressed(memory: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    monkeypatch.setattr(family, "pick", lambda costs, threads: Codec.ZSTD)
    for waiting in (0, PIECE, 4 * PIECE):
        monkeypatch.setattr(Stream, "waiting", waiting)
        monkeypatch.setattr(Stream, "rates", (1e6, 0.0))
        sizes.append(save(memory, target, handover(CodecChoice.AUTO)).image_bytes)
        frames = stored_and_raw(target)
        # the first frame holds the headers, and waits for its turn
        assert all(stored > raw for stored, raw in frames) is (waiting == 0)
        restore(target, memory_copy(target.parent))
        assert (target.parent / "scratch").read_bytes()[8 * MIB : 24 * MIB] == memory.read_bytes()[8 * MIB : 24 * MIB]
        target.write_bytes(bytes(40 * MIB))
    assert sizes[2] < sizes[1] < sizes[0]


@pytest.mark.parametrize("codec", [CodecChoice.LZ4, CodecChoice.ZSTD])
def test_a_codec_that_was_chosen_compresses_every_frame_that_shrinks(memory: Path, target: Path, codec: CodecChoice) -> None:
    save(memory, target, handover(codec))
    assert all(stored < raw for stored, raw in stored_and_raw(target))


@pytest.mark.parametrize("seed", range(4))
def test_stored_and_compressed_frames_of_any_order_are_one_file_for_other_tools(
    memory: Path, target: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    dice = random.Random(seed)
    monkeypatch.setattr(Law, "choose", lambda self, *rest: dice.choice([0, 0, 1, self.most]))
    monkeypatch.setattr(family, "pick", lambda costs, threads: Codec.LZ4 if seed % 2 else Codec.ZSTD)
    save(memory, target, handover(CodecChoice.AUTO))
    sizes = stored_and_raw(target)
    assert {stored > raw for stored, raw in sizes} == {True, False}
    restore(target, memory_copy(target.parent))
    with Store(target) as store:
        manifest = restorer.examine(store)[1]
        raw = store.read(manifest.payload_offset, manifest.payload_size)
        frames = read_index(store, manifest)
        content = b"".join(reader.Payload(store, manifest, frames).open(number) for number in range(len(frames)))
    tool = shutil.which("lz4" if seed % 2 else "zstd")
    assert tool, "lz4 and zstd are needed"
    assert subprocess.run([tool, "-dc"], input=raw, capture_output=True, check=True).stdout == content
    assert content.startswith(b"\x7fELF") and len(content) == manifest.raw_size


def test_zero_pages_are_left_out(memory: Path, target: Path) -> None:
    save(memory, target, handover(CodecChoice.NONE))
    with Store(target) as store:
        manifest = restorer.examine(store)[1]
    data = memory.read_bytes()
    kept = sum(
        1 for start, end in RAM - REGION for page in range(start, end, PAGE) if data[page : page + PAGE] != bytes(PAGE)
    ) * PAGE  # fmt: skip
    assert kept <= manifest.raw_size < (RAM - REGION).total - 3 * MIB


def test_the_payload_is_a_vmcore(memory: Path, target: Path) -> None:
    from elftools.elf.elffile import ELFFile

    save(memory, target, handover(CodecChoice.NONE))
    with Store(target) as store:
        manifest = restorer.examine(store)[1]
        raw = store.read(manifest.payload_offset, manifest.payload_size)
    path = target.with_name("vmcore")
    path.write_bytes(raw)
    data = memory.read_bytes()
    with path.open("rb") as stream:
        elf = ELFFile(stream)
        assert elf["e_type"] == "ET_CORE"
        loads = list(elf.iter_segments("PT_LOAD"))
        assert sum(load["p_memsz"] for load in loads) == (RAM - REGION).total
        for load in loads:
            assert load["p_offset"]
            assert load.data() == data[load["p_paddr"] : load["p_paddr"] + load["p_filesz"]]
