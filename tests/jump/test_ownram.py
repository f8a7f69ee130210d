"""Whether a kernel's own RAM lies inside the region, at every depth of /proc/iomem, and what follows if it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.errors import Refused
from khib_tui.jump import ownram
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import GIB, MIB
from tests.kit.faketree import tree

REGION = Ranges.of([(0x1000, 0x9F000), (16 * MIB, 192 * MIB)])
OF_A = Ranges.of([(0x1000, 0x9F000), (MIB, GIB), (4 * GIB, 5 * GIB)])
IOMEM = """\
00000000-00000fff : Reserved
00001000-0009efff : System RAM
000a0000-000fffff : Reserved
  000f0000-000fffff : System ROM
01000000-0bffefff : System RAM
  01000000-01e00000 : Kernel code
0bfff000-0bffffff : Reserved
"""
PLUGGED = "100000000-13fffffff : System RAM\n"
NESTED = "240000000-2ffffffff : CXL Window 0\n  240000000-2ffffffff : dax0.0\n    240000000-2ffffffff : System RAM (kmem)\n"


def root(tmp_path: Path, more: str = "") -> Path:
    return tree(tmp_path, {"proc/iomem": IOMEM + more})


def test_ram_is_found_at_every_depth(tmp_path: Path) -> None:
    found = ownram.system_ram(root(tmp_path, NESTED))
    assert found.spans == ((0x1000, 0x9F000), (16 * MIB, 192 * MIB - 4096), (9 * GIB, 12 * GIB))


@pytest.mark.parametrize("content", ["", "00000000-00000000 : System RAM\n00000000-00000000 : Reserved\n"])
def test_a_kernel_that_does_not_tell_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(Refused, match="does not tell"):
        ownram.system_ram(tree(tmp_path, {"proc/iomem": content}))


def test_a_saver_inside_its_region_goes_on(tmp_path: Path) -> None:
    ownram.refuse_outside(REGION, OF_A, root(tmp_path))


def test_a_saver_with_memory_that_was_never_the_system_s_goes_back(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"3\.0 GiB of memory at 0x240000000") as caught:
        ownram.refuse_outside(REGION, OF_A, root(tmp_path, NESTED))
    assert caught.value.ident == "HIB-E-REGION-RAM"


def test_a_saver_that_may_have_overwritten_the_system_must_not_go_back(tmp_path: Path) -> None:
    with pytest.raises(ownram.Overwritten, match=r"1\.0 GiB of memory at 0x100000000"):
        ownram.refuse_outside(REGION, OF_A, root(tmp_path, PLUGGED))
    with pytest.raises(ownram.Overwritten):
        ownram.refuse_outside(Ranges.of([(0x1000, 0x9F000), (17 * MIB, 192 * MIB)]), OF_A, root(tmp_path))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("nokaslr memmap=4G$1G", None),
        ("memmap=exactmap", ()),
        ("memmap=exactmap memmap=0x9e000@0x1000 memmap=0xb000000@0x1000000 memmap=4K$0", REGION.spans),
        ("memmap=exactmap,632K@4k,176m@16M memmap=1G#3G", REGION.spans),
    ],
)
def test_memory_words_are_read_as_the_kernel_reads_them(words: str, expected: tuple[tuple[int, int], ...] | None) -> None:
    found = ownram.given(words)
    assert (found if found is None else found.spans) == expected


def test_a_restorer_is_refused_what_lies_outside_of_its_image_s_region(tmp_path: Path) -> None:
    ownram.refuse_beyond(REGION, root(tmp_path))
    with pytest.raises(Refused, match="0x240000000") as caught:
        ownram.refuse_beyond(REGION, root(tmp_path, NESTED))
    assert caught.value.ident == "HIB-E-REGION-RAM" and "image is kept" in str(caught.value.hint)


def test_a_restorer_s_own_words_judge_it_before_there_is_an_image(tmp_path: Path) -> None:
    words = "memmap=exactmap memmap=0x9e000@0x1000 memmap=0xb000000@0x1000000"
    ownram.refuse_beyond_words(tree(tmp_path, {"proc/iomem": IOMEM, "proc/cmdline": words}))
    with pytest.raises(Refused, match="0x100000000"):
        ownram.refuse_beyond_words(tree(tmp_path, {"proc/iomem": IOMEM + PLUGGED}))
    ownram.refuse_beyond_words(tree(tmp_path, {"proc/cmdline": "root=/dev/sda1"}))


def test_memory_at_any_depth_is_not_restored_over(tmp_path: Path) -> None:
    ownram.refuse_over(Ranges.of([(192 * MIB, 12 * GIB)]), root(tmp_path))
    with pytest.raises(Refused, match=r"overwrite 1\.0 GiB of memory at 0x280000000") as caught:
        ownram.refuse_over(Ranges.of([(192 * MIB, 4 * GIB), (10 * GIB, 11 * GIB)]), root(tmp_path, NESTED))
    assert caught.value.ident == "HIB-E-REGION-RAM"
