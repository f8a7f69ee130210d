"""The page of kernels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from tests.kit.screens_kit import (
    KERNEL,
    at,
    facts,
    press,
    shown,
    until,
)


def with_second_kernel() -> Any:
    here = facts()
    other = msgspec.structs.replace(here.kernels[0], path="/boot/vmlinuz-6.5", release="6.5")
    unfit = msgspec.structs.replace(here.kernels[0], path="/boot/vmlinuz-4.0", release="4.0", relocatable=False)
    return msgspec.structs.replace(here, kernels=(here.kernels[0], other, unfit))


def test_a_kernel_can_be_chosen_and_an_unfit_one_says_why(tmp_path: Path) -> None:
    wizard = at(tmp_path, KERNEL, with_second_kernel())
    assert "it cannot run at another address (CONFIG_RELOCATABLE)" in shown(wizard.window)
    press(wizard.window, "shift tab")
    until(wizard.window, "4.0", "down")
    assert "4.0 cannot save" in press(wizard.window, "enter")
    until(wizard.window, " ) 6.5", "up")
    press(wizard.window, "enter")
    until(wizard.window, "Next")
    press(wizard.window, "enter")
    assert wizard.settings.kernel == "/boot/vmlinuz-6.5"


def test_the_automatic_kernel_leaves_the_settings_open(tmp_path: Path) -> None:
    wizard = at(tmp_path, KERNEL, with_second_kernel(), kernel="/boot/vmlinuz-6.5")
    assert "(X) 6.5" in shown(wizard.window)
    press(wizard.window, "shift tab")
    until(wizard.window, " ) Automatic", "up")
    press(wizard.window, "enter")
    until(wizard.window, "Next")
    press(wizard.window, "enter")
    assert wizard.settings.kernel == ""
