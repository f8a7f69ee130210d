"""Which kernels can save and restore."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from khib_tui.decide.kernel import unfit_as_saver
from khib_tui.model import machine
from khib_tui.model.machine import KernelFile, Machine
from tests.kit import MACHINES

GOOD = machine.load(MACHINES / "qemu-bios-1g.json")
KERNEL = GOOD.kernels[0]


def without(facts: Machine, option: str) -> dict[str, str]:
    return {name: value for name, value in facts.config.items() if name != option}


def kernel(**fields: Any) -> KernelFile:
    return msgspec.structs.replace(KERNEL, **fields)


def test_a_stock_kernel_without_kexec_jump_can_save() -> None:
    debian = machine.load(MACHINES / "laptop-debian.json").kernels[0]
    assert "KEXEC_JUMP" not in debian.config
    assert unfit_as_saver(debian) == []


@pytest.mark.parametrize("option", ["RELOCATABLE", "DEVMEM", "KEXEC", "BLK_DEV_INITRD", "X86_64"])
@pytest.mark.parametrize("value", [None, "m", "n"])
def test_what_a_saver_needs(option: str, value: str | None) -> None:
    config = without(GOOD, option) | ({option: value} if value else {})
    (reason,) = unfit_as_saver(kernel(config=config))
    assert f"CONFIG_{option}" in reason


def test_the_header_of_a_kernel_counts_without_its_configuration() -> None:
    assert unfit_as_saver(kernel(config={})) == []
    assert len(unfit_as_saver(kernel(config={}, relocatable=False))) == 1
    assert len(unfit_as_saver(kernel(kernel_64=False, relocatable=False))) == 2
