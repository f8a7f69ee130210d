"""Page tables that are walked by hand."""

from __future__ import annotations

import pytest

from khib_tui.pagefilter.pagetable import AddressSpace
from khib_tui.pagefilter.view import Doubt
from tests.kit.fakememory import DIRECT, ROOT, kernel


def test_an_unmapped_address_is_doubted() -> None:
    space = AddressSpace(kernel(), ROOT, 0, DIRECT, 4)
    with pytest.raises(Doubt, match="not mapped"):
        space.read(0xFFFFA00000000000, 8)
