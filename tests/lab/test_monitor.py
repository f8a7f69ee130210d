"""Looking at a machine that says nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.errors import CommandFailed
from khib_tui.lab import monitor
from khib_tui.lab.build.kernel import guest_kernel
from khib_tui.lab.hardware import Boot, Hardware
from khib_tui.lab.vm import start
from tests.kit.lab_kit import print_event


def test_a_machine_that_is_off_is_said_to_be(tmp_path: Path) -> None:
    assert monitor.processors(tmp_path).startswith("the monitor does not answer: ")


@pytest.mark.lab
def test_a_machine_that_is_silent_is_told_with_where_its_processors_are(tmp_path: Path) -> None:
    kernel = guest_kernel(print_event)
    machine = start(Hardware(128, 2, "bios", (), tmp_path), Boot(kernel.bzimage, "panic=0"), tmp_path / "console.log")
    try:
        with pytest.raises(CommandFailed, match=r"silent for \d s; CPU#0 .*[ER]IP=[0-9a-f]+ .*CPU#1 ") as caught:
            list(machine.lines(1))
        assert caught.value.ident == "HIB-E-LAB-SILENT"
    finally:
        machine.kill()


def test_processors_in_one_thread_or_in_one_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KHIB_LAB_ACCEL", raising=False)
    kinds = [Hardware(128, 2, "bios", (), tmp_path, one_thread=one).arguments()[2] for one in (False, True)]
    assert kinds == ["tcg,thread=multi", "tcg,thread=single"]
