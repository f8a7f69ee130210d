"""The benchmark's arithmetic, tables and document, and how it runs programs and lays out the sample."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from benchmark import document
from benchmark.__main__ import parse
from benchmark.adapt import ratios
from benchmark.growth import content
from benchmark.hibernate import KERNEL, Cycle, Way
from benchmark.hibernate import content as hibernate_content
from benchmark.hibernate import targets as hibernations
from benchmark.measure import Command, measure, rounds, words
from benchmark.media import Pace
from benchmark.memory_tables import Facts, targets
from benchmark.record import make_vmcore
from benchmark.sample import Sample, filled
from benchmark.stats import Run, Series, Target, noise_words, ratio
from elftools.elf.elffile import ELFFile

from khib_tui.errors import CommandFailed, KhibError
from khib_tui.lab.guest.mixture import Facts as GuestFacts
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB, PAGE
from tests.kit.exported import note_segments

RAM = ((PAGE, 0x9F000), (MIB, 4 * MIB))
PAGE_OFFSET = 0xFFFF888000000000


def series(name: str, *seconds: float, **figures: float) -> Series:
    return Series(name, [Run(value, **figures) for value in seconds])  # type: ignore[arg-type]


def guest() -> GuestFacts:
    return GuestFacts(RAM, "OSRELEASE=6.1\n" + "x" * 5000, PAGE_OFFSET, "6.1", "#1", 2 * MIB)


def test_medians_spans_and_ratios_keep_every_run() -> None:
    slow, fast = series("slow", 4.0, 9.0, 5.0), series("fast", 2.0)
    assert slow.middle() == 5.0 and slow.span == (4.0, 9.0) and slow.spread == 1.0
    assert slow.summary() == "5.00 (4.00-9.00)"
    assert ratio(slow, fast) == 2.5
    assert ratio(slow, None) is None and ratio(slow, Series("never run")) is None and ratio(slow, fast, "size") is None


def test_a_noisy_machine_is_told() -> None:
    text = noise_words([series("a", 1.0, 2.0, others=0.5), series("b", 1.0)])
    assert "3 runs, none left out" in text and "in 2 runs more than 12%" in text and text.endswith("apart for: a.")
    assert "more than" not in noise_words([series("b", 1.0, 1.1)])


@pytest.mark.parametrize(
    ("got", "most", "verdict"),
    [(2.0, False, "stretch"), (1.5, False, "must"), (1.3, False, "**missed**"), (None, False, "not measured"),
     (1.4, True, "must"), (1.5, True, "**missed**")],
)  # fmt: skip
def test_verdicts(got: float | None, most: bool, verdict: str) -> None:
    assert Target("what", got, 1.4, None if most else 1.8, most).verdict == verdict


def test_targets_divide_the_right_way_round(tmp_path: Path) -> None:
    memory = tmp_path / "memory"
    memory.write_bytes(bytes(4 * MIB))
    saves = {
        "khib lz4": series("khib lz4", 2.0, size=80 * MIB, anon=20 * MIB),
        "makedumpfile -l": series("makedumpfile -l", 3.0, size=100 * MIB),
    }
    restores = {
        "restore lz4 from disk": series("", 9.0, work=4.0),
        "dd iflag=direct": series("", 2.0),
    }
    found = {item.what: item.got for item in targets(Facts(Sample(memory, guest()), "1", "ext4", {}), saves, restores)}
    assert found["save lz4 vs makedumpfile -l, speed"] == 1.5
    assert found["size: lz4 / makedumpfile -l"] == 0.8
    assert found["RssAnon of the saver, any codec"] == 20
    assert found["restore lz4 from disk, share of the disk's read speed"] == (80 / 4) / (4 / 2)
    assert found["save zstd vs makedumpfile -z, speed"] is None


def test_a_part_replaces_its_own_tables_only() -> None:
    text = "a\n<!-- bench:x -->\nold\n<!-- end:x -->\nb\n<!-- bench:y -->\nkeep\n<!-- end:y -->\n"
    made = document.replaced(text, "x", "new \\1\n")
    assert made == text.replace("old", "new \\1")
    assert document.replaced(made, "x", "old") == text
    with pytest.raises(KhibError, match="no markers for z"):
        document.replaced(text, "z", "")


def test_the_document_has_the_markers_of_all_parts() -> None:
    for part in parse([]).parts:
        document.replaced(document.DOCUMENT.read_text(), part, "")


def test_tables_are_markdown() -> None:
    assert document.table(("a", "b"), [("x|y", "1")]) == "| a | b |\n| --- | ---: |\n| x\\|y | 1 |"


def test_the_command_line() -> None:
    assert parse([]).parts == ["memory", "adapt", "growth", "hibernate"] and parse([]).runs == 5
    assert parse(["growth", "--quick"]).parts == ["growth"] and parse(["--quick"]).runs == 1
    assert parse(["--quick", "--runs", "3"]).runs == 3


def test_rounds_interleave_and_begin_with_another_command() -> None:
    a, b = Command("a", ()), Command("b", ())
    assert rounds([a, b], 3) == [a, b, b, a, a, b]
    assert [command.name for command in rounds([a, Command("slow", (), most=1)], 3)] == ["a", "slow", "a", "a"]


def test_a_measured_command_says_its_work_and_leaves_its_file(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("of an earlier run")
    script = (
        "import sys, json, pathlib, time; held = bytearray(b'x' * (64 << 20)); time.sleep(0.2);"
        "path = pathlib.Path(sys.argv[1]); assert not path.exists(); path.write_bytes(held[:1000]);"
        "print(json.dumps({'work': 0.5}))"
    )
    run = measure(Command("x", words(sys.executable, "-c", script, out), (out,), answers=True), tmp_path / "log")
    assert run.size == 1000 and run.work == 0.5 and run.anon > 64 * MIB and run.cpu > 0


def test_a_command_that_fails_is_an_error_with_its_complaint(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="error: no luck"):
        measure(Command("x", ("sh", "-c", "echo error: no luck; exit 3")), tmp_path / "log")


def test_the_sample_is_memory_and_vmcore_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "memory"
    original = os.urandom(4 * MIB)
    path.write_bytes(original)
    make_vmcore(path, guest())
    assert path.read_bytes()[PAGE : 4 * MIB] == original[PAGE:]
    with path.open("rb") as stream:
        elf = ELFFile(stream)
        loads = list(elf.iter_segments("PT_LOAD"))
        assert [(load["p_offset"], load["p_paddr"], load["p_filesz"]) for load in loads] == [
            (start, start, end - start) for start, end in RAM
        ]
        assert all(load["p_vaddr"] - load["p_paddr"] == PAGE_OFFSET for load in loads)
        (notes,) = note_segments(elf)
        (note,) = notes.iter_notes()
        assert note["n_name"] == "VMCOREINFO" and note["n_desc"].startswith(b"OSRELEASE=6.1\n")


def test_the_sample_hands_over_all_of_its_memory(tmp_path: Path) -> None:
    given = Sample(tmp_path / "memory", guest()).handover("ab" * 16)
    assert Ranges.of(given.saved) == Ranges.of(RAM) and not given.region and given.vmcoreinfo == guest().vmcoreinfo


def test_a_filled_copy_has_no_holes(tmp_path: Path) -> None:
    source, copy = tmp_path / "source", tmp_path / "copy"
    with source.open("wb") as stream:
        stream.truncate(4 * MIB)
    filled(source, copy)
    assert copy.read_bytes() == bytes(4 * MIB) and copy.stat().st_blocks * 512 >= 4 * MIB


def test_growth_takes_no_zero_pages(tmp_path: Path) -> None:
    path = tmp_path / "memory"
    page = bytes([7]) * PAGE
    path.write_bytes(bytes(3 * MIB) + page + bytes(MIB - PAGE))
    assert list(content(Sample(path, guest()))) == [page]


def test_hibernations_are_compared_with_the_kernels_of_the_same_fill() -> None:
    ours = Way("khib lz4", 25, [Cycle(10.0, 10.0, 500 * MIB, (100 * MIB, 100 * MIB), 0, True)], others=[0.1])
    kernel = Way(KERNEL, 25, [Cycle(20.0, 10.0, 400 * MIB, (100 * MIB, 7 * MIB), MIB, True)], others=[0.1])
    declined = Way(KERNEL, 60, refusals=["Cannot allocate memory"])
    found = {target.what: target.got for target in hibernations([ours, kernel])}
    assert found == {
        "khib lz4, 25 % held: both ways vs in-kernel, speed": 1.5,
        "khib lz4, 25 % held: page cache kept": 1.0,
    }
    text = hibernate_content([ours, kernel, declined], 1)
    assert "| 7% of 100 MiB | 1 | 1 of 1 | 10% |" in text
    assert "refused" in text and f"Refused: {KERNEL} at 60 %: Cannot allocate memory." in text


def test_a_pace_takes_as_long_as_the_medium() -> None:
    pace = Pace("throttled", 1)
    began = time.monotonic()
    for _ in range(4):
        pace.move(5 * 10**6)
    assert 0.19 < time.monotonic() - began < 2


def test_auto_is_compared_with_the_best_of_its_own_round() -> None:
    found = {
        ("mixed", "fast", codec): Series(codec, [Run(9.0, work=first), Run(9.0, work=second)])
        for codec, first, second in (("lz4", 2.0, 5.0), ("zstd", 3.0, 4.0), ("none", 9.0, 9.0), ("auto", 2.2, 3.0))
    }
    assert ratios(found, "mixed", "fast") == [1.1, 0.75]
