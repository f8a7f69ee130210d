"""The words of fake roots."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.facts.probe import probe
from tests.kit import FIELD, fakeroot
from tests.kit.faketree import tree

WORDS = """# a comment
@proc/some
first
second
@etc/
@etc/link -> ../proc/some
@dev/sda %zero 8 0x2:beef 6:01
@dev/sdb %random 64 0:00
@boot/vmlinuz-6.6 %bzimage 6.6
"""


def test_each_word_makes_what_it_says(tmp_path: Path) -> None:
    root = tree(tmp_path, fakeroot.parse(WORDS))
    assert (root / "proc/some").read_text() == "first\nsecond\n" == (root / "etc/link").read_text()
    assert (root / "dev/sda").read_bytes() == bytes.fromhex("0000beef00000100")
    noise = (root / "dev/sdb").read_bytes()
    assert (len(noise), noise[0]) == (64, 0) and len(set(noise)) > 20
    assert [kernel.release for kernel in probe(root).kernels] == ["6.6"]


@pytest.mark.parametrize("path", sorted(FIELD.glob("*.txt")), ids=lambda path: path.stem)
def test_every_root_of_the_field_can_be_made(path: Path, tmp_path: Path) -> None:
    assert any(fakeroot.make(tmp_path, path.stem).iterdir()) == (path.stem != "19-cmdlines")
