"""memmap= words are read as the kernel reads them."""

from __future__ import annotations

import pytest

from khib_tui.model import memmap
from khib_tui.model.units import GIB, MIB


@pytest.mark.parametrize(
    ("line", "spans"),
    [
        ("memmap=4K$0x7006000", ((0x7006000, 0x7007000),)),
        ("memmap=4K$16M,0x1000$1g quiet", ((16 * MIB, 16 * MIB + 4096), (GIB, GIB + 4096))),
        ('"memmap=010$8"', ((8, 16),)),
        ("memmap=4K@16M memmap=4K#1M memmap=4K!2M memmap=4K%3M+2 memmap=exactmap memmap", ()),
        ("memmap=4K$ memmap=$4K memmap=4Q$1M memmap=-1$0 -- memmap=4K$1M", ()),
    ],
)
def test_what_is_reserved(line: str, spans: tuple[tuple[int, int], ...]) -> None:
    assert memmap.named(line, memmap.RESERVED).spans == spans


def test_an_exact_map_is_its_ram() -> None:
    line = "memmap=exactmap memmap=636K@4K,64M@16M"
    assert memmap.exact(line) and not memmap.exact("memmap=64M@16M")
    assert memmap.named(line, memmap.RAM).spans == ((4096, 640 * 1024), (16 * MIB, 80 * MIB))
