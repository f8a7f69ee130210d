"""Sleep states, as kernels list them."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.facts.sleepstates import platform_sleep, suspend
from tests.kit.faketree import tree


@pytest.mark.parametrize(
    ("state", "depth", "wanted"),
    [
        ("freeze mem disk", "s2idle [deep]", "deep"), ("freeze mem disk", "[s2idle] deep", "deep"),
        ("freeze mem", "[s2idle]", "s2idle"), ("freeze disk", "[s2idle]", ""), ("", "", ""),
    ],
)  # fmt: skip
def test_how_deep(tmp_path: Path, state: str, depth: str, wanted: str) -> None:
    assert suspend(tree(tmp_path, {"sys/power/state": state + "\n", "sys/power/mem_sleep": depth + "\n"})) == wanted


@pytest.mark.parametrize(("disk", "wanted"), [("[platform] shutdown reboot", True), ("[shutdown] reboot", False), ("", False)])
def test_s4(tmp_path: Path, disk: str, wanted: bool) -> None:
    assert platform_sleep(tree(tmp_path, {"sys/power/disk": disk + "\n"})) is wanted
