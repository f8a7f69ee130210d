"""A machine that can hibernate, with its files below a root of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from khib_tui.decide.choice import Choice, decide
from khib_tui.model.settings import Settings
from khib_tui.plan.step import Context
from tests.kit.faketree import bzimage
from tests.kit.machines import BIOS
from tests.kit.saved import nothing

MakeChoice = Callable[..., Choice]


@pytest.fixture
def context() -> Context:
    """A run that has just begun."""
    return Context(nothing)


@pytest.fixture
def choice_of(tmp_path: Path) -> MakeChoice:
    """Decide for that machine; arguments are choices of the user, and `sealed`."""
    source = tmp_path / "vmlinuz"
    source.write_bytes(bzimage("6.1.0-test"))
    kernel = msgspec.structs.replace(BIOS.kernels[0], path=str(source), release="6.1.0-test")
    machine = msgspec.structs.replace(BIOS, kernels=(kernel,), cmdline="root=/dev/vda1 console=ttyS0 quiet")

    def make(*, sealed: bool = False, **given: object) -> Choice:
        settings = msgspec.convert({"boot_dir": str(tmp_path / "boot"), "target": "/dev/vdb1", **given}, Settings)
        return decide(machine, settings, sealed=sealed)

    return make
