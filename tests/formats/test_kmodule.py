"""Reading what a module fits."""

from __future__ import annotations

import pytest

from khib_tui.formats import kmodule
from tests.kit.kbuild_kit import LAYOUT, MAGIC, module

WHOLE = module(versions={"printk": 0xDEAD, "other": 1}, exports=("one", "two"))


def test_what_it_fits_what_it_uses_and_what_it_has() -> None:
    found = kmodule.read(WHOLE)
    assert found.vermagic == MAGIC and found.versions == {"printk": 0xDEAD, "other": 1, "module_layout": LAYOUT}
    assert found.exports == {"one", "two"}


@pytest.mark.parametrize("data", [b"", b"\x7fELF\x01" + bytes(80), WHOLE[:-70], WHOLE[:40]])
def test_what_is_none_is_no_module(data: bytes) -> None:
    with pytest.raises(ValueError, match="it is"):
        kmodule.read(data)
