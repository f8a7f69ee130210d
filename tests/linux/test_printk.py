"""The kernel's messages, kept off the screen for a time."""

from __future__ import annotations

from pathlib import Path

from khib_tui.linux.printk import kernel_quiet


def test_the_kernel_is_quiet_only_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "printk"
    path.write_text("7 4 1 7\n")
    with kernel_quiet(path):
        assert path.read_text().startswith("1")
    assert path.read_text() == "7 4 1 7\n"
    with kernel_quiet(tmp_path / "none"):
        pass
