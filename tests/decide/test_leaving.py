"""Whether the machine can be left as chosen."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from khib_tui.decide.choice import decide, judge
from khib_tui.errors import Refused, UsageError
from khib_tui.model.choices import After
from khib_tui.model.machine import Machine
from khib_tui.model.settings import Settings
from tests.kit.machines import BIOS

ABLE: dict[str, Any] = {"suspend": "deep", "platform_sleep": True}


def machine(config: dict[str, str], **facts: Any) -> Machine:
    """The machine with a saver's kernel of that configuration."""
    kernels = tuple(msgspec.structs.replace(kernel, config=kernel.config | config) for kernel in BIOS.kernels)
    return msgspec.structs.replace(BIOS, kernels=kernels, **ABLE | facts)


ALL = {"SUSPEND": "y", "HIBERNATION_SNAPSHOT_DEV": "y"}


@pytest.mark.parametrize(
    ("after", "config", "facts", "severity", "word"),
    [
        (After.HYBRID, ALL, {}, "ok", "S3"),
        (After.HYBRID, ALL, {"suspend": "s2idle"}, "warning", "lightly"),
        (After.HYBRID, ALL, {"suspend": ""}, "blocker", "cannot"),
        (After.HYBRID, {"SUSPEND": "n"}, {}, "blocker", "cannot"),
        (After.PLATFORM, ALL, {}, "ok", "S4"),
        (After.PLATFORM, ALL, {"platform_sleep": False}, "warning", "no ACPI S4"),
        (After.PLATFORM, {"HIBERNATION_SNAPSHOT_DEV": "n"}, {}, "warning", "CONFIG_HIBERNATION_SNAPSHOT_DEV"),
    ],
)
def test_each_end(after: After, config: dict[str, str], facts: dict[str, str], severity: str, word: str) -> None:
    found = [
        item for item in judge(machine(config, **facts), Settings(after=after)) if item.ident in ("HIB-E-SUSPEND", "HIB-E-S4")
    ]
    assert [item.severity for item in found] == [severity] and word in found[0].what
    assert severity == "ok" or found[0].fix


@pytest.mark.parametrize("after", [After.POWEROFF, After.REBOOT])
def test_what_every_machine_can_needs_no_word(after: After) -> None:
    found = judge(machine({}, suspend="", platform_sleep=False), Settings(after=after))
    assert not [item for item in found if item.ident in ("HIB-E-SUSPEND", "HIB-E-S4")]


def test_a_machine_that_cannot_sleep_is_refused_before_anything_is_done() -> None:
    with pytest.raises(Refused) as refusal:
        decide(machine(ALL, suspend=""), Settings(after=After.HYBRID), need_target=False)
    assert refusal.value.ident == "HIB-E-SUSPEND" and "--after" in (refusal.value.hint or "")


def test_a_time_that_is_none_is_refused_before_anything_is_done() -> None:
    with pytest.raises(UsageError):
        decide(machine(ALL), Settings(wake="tomorrow"), need_target=False)
