"""Pages that are in use are never left out, and whatever is odd in A's kernel is a doubt."""

from __future__ import annotations

import random

import pytest

from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB, PAGE
from khib_tui.pagefilter import leftout
from khib_tui.pagefilter.view import Doubt, Shadows, Swapped
from tests.kit import exported, saved
from tests.kit.fakememory import Memory
from tests.kit.mutate import EDGES


def test_pages_known_to_be_in_use_are_never_called_free() -> None:
    shadows = Shadows((Swapped(16 * MIB, 64 * MIB, PAGE),))
    with pytest.raises(Doubt, match="region"):
        leftout.refuse_used(Ranges.of([(63 * MIB, 65 * MIB)]), shadows, ())
    with pytest.raises(Doubt, match="in use"):
        leftout.refuse_used(Ranges.of([(63 * MIB, 64 * MIB)]), shadows, (63 * MIB + 8,))
    leftout.refuse_used(Ranges.of([(63 * MIB, 64 * MIB)]), shadows, (65 * MIB,))


EXTRA = f"""SYMBOL(mem_section)={exported.KERNEL_MAP + exported.UTSNAME:x}
NUMBER(SECTION_SIZE_BITS)=27
LENGTH(mem_section)=4
SIZE(mem_section)=16
OFFSET(mem_section.section_mem_map)=0
LENGTH(zone.free_area)=11
NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129
NUMBER(PG_slab)=9
"""


@pytest.mark.parametrize("seed", range(300))
def test_whatever_the_kernel_says_of_itself_is_followed_or_doubted(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = random.Random(seed)
    lines = [line.partition("=") for line in (exported.VMCOREINFO + EXTRA).splitlines()]
    for _ in range(noise.choice((1, 2, 3))):
        number = noise.randrange(1, len(lines))
        value = noise.choice((str(noise.choice(EDGES)), f"{noise.choice(EDGES):x}", "-1", "9" * 5000, "x", "\u0663"))
        lines[number] = (lines[number][0], "=", value)
    shadows = Shadows(tuple(Swapped(start, 16 * MIB + start, end - start) for start, end in saved.REGION))
    monkeypatch.setattr(leftout.kimage, "shadows", lambda *_: shadows)
    memory = Memory({at: noise.randbytes(PAGE) for at in range(exported.TABLES, exported.TABLES + 16 * PAGE, PAGE)})
    text = "\n".join("".join(line) for line in lines)
    with pytest.raises(Doubt):
        leftout.left_out(
            memory, saved.handover(release="6.1.0"), exported.ENTRY, page_offset=exported.DIRECT_MAP, description=text, used=()
        )
