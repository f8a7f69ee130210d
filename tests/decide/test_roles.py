"""What a kernel can be."""

from __future__ import annotations

import msgspec
import pytest

from khib_tui.decide.roles import Fit, Role, roles
from khib_tui.model.machine import KernelFile
from tests.kit.machines import BIOS

FIT = BIOS.kernels[0]
WHOLE = FIT.config | dict.fromkeys(("KEXEC", "KEXEC_JUMP", "HIBERNATION", "EFI_STUB"), "y")


def judged(
    config: dict[str, str], *, uefi: bool = False, release: str = "6.1.0", doubts: tuple[str, ...] = ()
) -> dict[str, Role]:
    kernel: KernelFile = msgspec.structs.replace(FIT, config=config, release=release)
    return {role.name: role for role in roles(kernel, uefi=uefi, doubts=doubts)}


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in WHOLE.items() if key != name}


def test_a_whole_kernel_can_be_all() -> None:
    assert [role.fit for role in judged(WHOLE, uefi=True).values()] == [Fit.YES] * 3


@pytest.mark.parametrize(
    ("option", "uefi", "fits"),
    [
        ("KEXEC_JUMP", True, "no yes yes"), ("HIBERNATION", True, "no yes yes"), ("KEXEC", True, "no no no"),
        ("DEVMEM", True, "yes no no"), ("EFI_STUB", True, "yes yes no"), ("EFI_STUB", False, "yes yes yes"),
    ],
)  # fmt: skip
def test_what_an_option_is_needed_for(option: str, uefi: bool, fits: str) -> None:
    found = judged(without(option), uefi=uefi)
    assert [role.fit.value for role in found.values()] == fits.split()
    assert all(option in role.reasons[0] for role in found.values() if role.fit is Fit.NO)


def test_what_nobody_knows_is_not_guessed() -> None:
    found = judged({})
    assert [role.fit for role in found.values()] == [Fit.UNKNOWN] * 3 and found["A"].reasons


def test_an_old_kernel_is_none_and_a_lacking_driver_is_told_of_b_and_c() -> None:
    assert {role.fit for role in judged(WHOLE, release="5.15.1").values()} == {Fit.NO}
    found = judged(WHOLE, doubts=("it has no driver nvme",))
    assert [len(role.reasons) for role in found.values()] == [0, 1, 1]
