"""GRUB's environment block: what is written is what grub-editenv reads, and what others keep there stays."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from khib_tui import runner
from khib_tui.bootloader import grubenv

EMPTY = grubenv.HEADER.ljust(1024, b"#")
KEPT = (grubenv.HEADER + b"saved_entry=debian\nboot_success=1\n").ljust(1024, b"#")


def test_a_variable_is_set_and_taken_out_again() -> None:
    for block in (EMPTY, KEPT):
        made = grubenv.changed(block, "khib-restore")
        assert len(made) == 1024 and grubenv.value(made) == "khib-restore" and grubenv.changed(made, None) == block
        assert grubenv.value(grubenv.changed(made, "")) == "" and grubenv.value(block) is None
    assert grubenv.value(grubenv.changed(KEPT, "x"), "saved_entry") == "debian"


@pytest.mark.parametrize("block", [b"", EMPTY[:-1], EMPTY + b"#", bytes(1024), EMPTY[:-1] + b"x"])
def test_what_is_no_block_is_not_written_to(block: bytes) -> None:
    assert grubenv.value(block) is None
    with pytest.raises(ValueError, match="no environment block"):
        grubenv.changed(block, "x")
    with pytest.raises(ValueError, match="full"):
        grubenv.changed(KEPT, "x" * 1000)


def test_grub_reads_it(tmp_path: Path) -> None:
    if not shutil.which("grub-editenv"):
        pytest.skip("there is no grub-editenv")
    path = tmp_path / "grubenv"
    path.write_bytes(grubenv.changed(KEPT, "khib-restore"))
    listed = runner.run(["grub-editenv", str(path), "list"]).stdout.splitlines()
    assert listed == ["saved_entry=debian", "boot_success=1", "next_entry=khib-restore"]
    runner.run(["grub-editenv", str(path), "unset", "next_entry"])
    assert path.read_bytes() == KEPT
