"""The page filter against makedumpfile, page by page, on the memory of real guests."""

from __future__ import annotations

import mmap
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from benchmark import record, sample
from benchmark.makedumpfile import makedumpfile

from khib_tui.image.scan import scan
from khib_tui.lab.cycle import Session
from khib_tui.lab.guest import mixture
from khib_tui.lab.setup import prepare
from khib_tui.linux.devmem import Mappings, PhysicalMemory
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import PAGE
from khib_tui.runner import run
from khib_tui.saver.save import find_free
from tests.kit.lab_kit import linux_source, options, print_event

pytestmark = pytest.mark.lab
FILL = "from khib_tui.lab.guest import mixture as m; m.leave_stale_pages(); m.hold(m.empty_list); m.hold(m.zeros); m.tell()"


def recorded(directory: Path, version: str) -> sample.Sample:
    """Let a guest use and free memory, and hold it still."""
    live = directory / "ram"
    lab = prepare(options(memory=1024, linux_source=linux_source(version)), directory, print_event)
    session = Session(replace(lab, hardware=replace(lab.hardware, memory_file=live)), print_event)
    try:
        session.boot_a()
        session.ask("fill", percent=40, shadow=0)
        session.program("sh", "-c", f"PYTHONPATH=/opt/khib python3 -c '{FILL}' >/run/mixture.log 2>&1 </dev/null")
        assert session.exists(str(mixture.FACTS)), session.read("/run/mixture.log")
        facts = record.read_whole(session, str(mixture.FACTS))
        with session.running.paused():
            run(["cp", "--sparse=always", live, directory / record.MEMORY_NAME])
    finally:
        session.end()
        live.unlink(missing_ok=True)
    (directory / record.FACTS_NAME).write_text(facts)
    made = sample.opened(directory)
    record.make_vmcore(made.path, made.facts)
    return made


def pages(ranges: Ranges) -> set[int]:
    return {pfn for start, end in ranges for pfn in range(start // PAGE, end // PAGE)}


class Dump:
    """A kdump-compressed file: which pages it has, and which of these are the one zero page (struct disk_dump_header)."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as stream:
            self.data = mmap.mmap(stream.fileno(), 0, prot=mmap.PROT_READ)
        fields = struct.unpack_from("<IiiI", self.data, 8 + 4 + 6 * 65 + 6 + 16)
        block, sub, bitmap = fields[1:]
        self.maps = (1 + sub) * block
        self.half = bitmap * block // 2
        self.descriptors = (1 + sub + bitmap) * block

    def bits(self, which: int) -> list[int]:
        start = self.maps + which * self.half
        value = int.from_bytes(self.data[start : start + self.half], "little")
        return [pfn for pfn, bit in enumerate(reversed(f"{value:b}")) if bit == "1"]

    def left_out(self) -> tuple[set[int], set[int]]:
        """Return the pages that are missing, and those that are zero."""
        kept = self.bits(1)
        places = [struct.unpack_from("<q", self.data, self.descriptors + 24 * index)[0] for index in range(len(kept))]
        shared = min(places)
        zero = {pfn for pfn, place in zip(kept, places, strict=True) if place == shared}
        return set(self.bits(0)) - set(kept), zero if len(zero) > 1 else set()


@pytest.mark.parametrize("version", ["6.1", "7.2"])
def test_free_and_zero_pages_are_those_that_makedumpfile_finds(tmp_path: Path, version: str) -> None:
    guest = recorded(tmp_path, version)
    assert guest.facts.release.startswith(version)
    memory = PhysicalMemory(guest.path)
    free = find_free(guest.handover("ab" * 16), guest.facts.entry, memory, lambda event: None)
    windows = Mappings(memory, guest.ram)
    content = scan(windows, guest.ram, free, lambda count: None)
    ours = pages(guest.ram) - pages(Ranges(tuple(zip(content.starts, content.ends, strict=True))))
    windows.close()
    tool = makedumpfile()
    out = tmp_path / "dump"
    run([*tool.argv, "-l", "-d", "17", guest.path, out])
    missing, zero = Dump(out).left_out()
    assert pages(free) == missing, f"makedumpfile {tool.version}"
    assert len(missing) > 50_000 and len(zero) > 10_000
    assert ours <= missing | zero
    assert len(ours & (missing | zero)) >= 0.99 * len(missing | zero)
