"""The hand-back page: found outside of the region, written only where its cookie is."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.errors import Refused
from khib_tui.handover.report import Outcome, Report, ReportPage, leave
from khib_tui.linux.devmem import PhysicalMemory
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB, PAGE
from tests.kit.fakekernel import Pagemap

SAVED = Ranges.of([(4 * MIB, 8 * MIB)])


def page(tmp_path: Path, addresses: list[int], others: int = 64 * PAGE) -> ReportPage:
    return ReportPage(SAVED, others, Pagemap(tmp_path, addresses))  # type: ignore[arg-type]


def test_pages_of_the_region_are_passed_over(tmp_path: Path) -> None:
    made = page(tmp_path, [MIB, 2 * MIB, 5 * MIB])
    assert made.physical == 5 * MIB and made.offset == 2 * PAGE


@pytest.mark.parametrize("addresses", [[], [MIB] * 70])
def test_no_page_is_a_refusal(tmp_path: Path, addresses: list[int]) -> None:
    with pytest.raises(Refused) as caught:
        page(tmp_path, addresses)
    assert caught.value.ident == "HIB-E-REPORT-PAGE"


def physical(tmp_path: Path, made: ReportPage) -> PhysicalMemory:
    path = tmp_path / "mem"
    with path.open("wb") as stream:
        stream.truncate(8 * MIB)
        stream.seek(made.physical)
        stream.write(made.pool[made.offset : made.offset + PAGE])
    return PhysicalMemory(path, writable=True)


def bring_back(made: ReportPage, memory: PhysicalMemory) -> None:
    made.pool[made.offset : made.offset + PAGE] = memory.read(made.physical, PAGE)


def test_a_report_is_written_and_read(tmp_path: Path) -> None:
    made = page(tmp_path, [5 * MIB])
    assert made.read() is None
    memory = physical(tmp_path, made)
    report = Report(Outcome.RESUMED, "done", image_bytes=7, restore_seconds=1.5)
    assert leave(memory, made.physical, made.cookie, report)
    bring_back(made, memory)
    assert made.read() == report


def test_a_page_that_has_moved_is_left_alone(tmp_path: Path) -> None:
    made = page(tmp_path, [5 * MIB])
    memory = physical(tmp_path, made)
    before = memory.read(made.physical, PAGE)
    assert not leave(memory, made.physical, bytes(32), Report(Outcome.FAILED))
    assert memory.read(made.physical, PAGE) == before


def test_a_long_reason_is_cut_and_still_read(tmp_path: Path) -> None:
    made = page(tmp_path, [5 * MIB])
    memory = physical(tmp_path, made)
    assert leave(memory, made.physical, made.cookie, Report(Outcome.FAILED, "x" * 9000, "y" * 9000))
    bring_back(made, memory)
    report = made.read()
    assert report is not None and report.outcome is Outcome.FAILED and set(report.text) == {"x", "…"}
