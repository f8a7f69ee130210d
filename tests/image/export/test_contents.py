"""Memory read by its addresses, from an image or a vmcore."""

from __future__ import annotations

from pathlib import Path

from khib_tui.formats import vmcore
from khib_tui.image.export.contents import Contents, PlainFile, of_payload
from khib_tui.image.store import Store
from khib_tui.model.units import MIB, PAGE
from khib_tui.pagefilter.kimage import shadows
from tests.kit.exported import ENTRY, Hibernated, payload
from tests.kit.saved import RAM, REGION


def test_contents_read_content_and_zeros_across_runs(slept: Hibernated) -> None:
    with Store(slept.image) as store:
        contents = of_payload(payload(store))
        for start, end in RAM - REGION:
            for at in range(start, end - 5000, 70001):
                assert contents.read(at, 5000) == slept.after[at : at + 5000]
        assert contents.present == RAM - REGION
        assert contents.content.total < contents.present.total - 3 * MIB
        assert contents.read(REGION.spans[1][0], PAGE) == bytes(PAGE)
        moved = shadows(contents, ENTRY, REGION, RAM)
    assert moved.sources == slept.sources


def test_absent_memory_reads_as_zero(tmp_path: Path) -> None:
    placed = vmcore.place([vmcore.MemoryRun(PAGE, PAGE, 2 * PAGE), vmcore.MemoryRun(5 * PAGE, PAGE, PAGE)], 0)
    path = tmp_path / "vmcore"
    path.write_bytes(vmcore.header(placed, b"", 0) + b"x" * PAGE + b"y" * PAGE)
    contents = Contents(PlainFile(path), placed)
    assert contents.read(0, 7 * PAGE) == bytes(PAGE) + b"x" * PAGE + bytes(3 * PAGE) + b"y" * PAGE + bytes(PAGE)
    assert contents.read(PAGE + 5, 10) == b"x" * 10
    assert contents.present.spans == ((PAGE, 3 * PAGE), (5 * PAGE, 6 * PAGE))
