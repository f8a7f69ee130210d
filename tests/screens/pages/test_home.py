"""The everyday page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from khib_tui.handover.handover import Mode
from khib_tui.model.machine import Machine
from screens.wizard.home import HomePage
from tests.kit.fakeflow import Asked, FakeFlow
from tests.kit.machines import BIOS, FEDORA
from tests.kit.pages import chosen, make
from tests.kit.screens_kit import shown


@pytest.mark.parametrize(
    ("label", "asked"),
    [
        ("Hibernate now", ("travel", Mode.SAVE)), ("Rehearse", ("rehearse",)), ("All questions again", ("go", 0)),
        ("History", ("history",)), ("Settings", ("choices",)),
        ("Images", ("images",)), ("Seal the images", ("seal",)), ("Quit", ("leave",)),
    ],
)  # fmt: skip
def test_home_leads_everywhere(flow: FakeFlow, label: str, asked: Asked) -> None:
    make(HomePage, flow)
    chosen(flow, label, "down")
    assert flow.asked == [asked]


@pytest.mark.parametrize(
    ("machine", "given", "said"),
    [
        (BIOS, {}, "Ready. Up to 846.9 MiB go to /dev/vdb1"),
        (BIOS, {"target": "/dev/vda1"}, "Not ready: /dev/vda1 is mounted at /"),
        (FEDORA, {}, "Not ready: the kernel is locked down"),
    ],
)
def test_home_says_whether_it_would_work_now(tmp_path: Path, machine: Machine, given: dict[str, Any], said: str) -> None:
    flow = FakeFlow(tmp_path, machine, **given)
    make(HomePage, flow)
    text = " ".join(shown(flow.window).split())
    assert said in text and ("What the flow says of the seal." in text) is said.startswith("Ready")


def test_home_says_that_choices_are_not_in_force_yet(tmp_path: Path, flow: FakeFlow) -> None:
    make(HomePage, flow)
    assert "Choices:" in shown(flow.window)
    flow.settings = FakeFlow(tmp_path, countdown=42).settings
    make(HomePage, flow)
    assert "The choices were changed" in shown(flow.window)
