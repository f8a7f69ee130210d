"""The way back on a processor with CET in use, which only Bochs has: it lives by CR0.WP."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.formats.cpio import archive, file
from khib_tui.lab import bochs
from khib_tui.lab.build.kernel import guest_kernel
from khib_tui.lab.setup import saver_initramfs
from tests.kit.lab_kit import print_event

pytestmark = pytest.mark.lab

INIT = Path(__file__).with_name("echo_init.py")
IN_USE = "CET detected: Indirect Branch Tracking enabled"


def echo(directory: Path, words: str) -> bochs.Past:
    ours = directory / "ours"
    ours.write_bytes(archive([file("echo-init", INIT.read_bytes(), 0o755)]))
    initrds = {"khib": saver_initramfs(print_event), "ours": ours}
    past = bochs.run(directory, guest_kernel(print_event).bzimage, initrds, f"rdinit=/echo-init {words}")
    print(past.console, past.log[-4000:], sep="\n")
    assert IN_USE in past.console
    return past


def test_the_way_back_comes_back_with_cet_in_use(tmp_path: Path) -> None:
    past = echo(tmp_path, "")
    assert "echo: jumping, the page is as it is" in past.console
    assert "echo: back" in past.console and "echo: alive" in past.console
    assert "CR4.CET" not in past.log


def test_without_wp_it_would_not(tmp_path: Path) -> None:
    past = echo(tmp_path, "without-wp")
    assert "echo: jumping, the page is changed" in past.console
    assert "echo: back" not in past.console
    assert "attempt to set CR4.CET when CR0.WP=0" in past.log
    assert "exception with no resolution" in past.log
