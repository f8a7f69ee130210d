"""What is written: a vmcore without its zeros, compressed as hard as time allows."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.image.store import Store, Stream
from khib_tui.model.choices import CodecChoice
from khib_tui.model.units import MIB, PAGE
from khib_tui.restorer import restore as restorer
from tests.kit.saved import RAM, REGION, handover, memory_copy, restore, save


def test_zstd_works_harder_while_the_medium_is_behind(memory: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    for behind in (False, True):
        monkeypatch.setattr(Stream, "behind", behind)
        sizes.append(save(memory, target, handover(CodecChoice.ZSTD)).image_bytes)
        restore(target, memory_copy(target.parent))
        target.write_bytes(bytes(40 * MIB))
    assert sizes[1] < sizes[0]


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
