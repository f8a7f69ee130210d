"""Which releases are supported: one constant, for A, for B and C, and in README.md."""

from __future__ import annotations

import msgspec
import pytest

from khib_tui.decide.checks import check
from khib_tui.decide.findings import blockers
from khib_tui.decide.kernel import OLDEST, too_old, unfit_as_saver
from tests.kit import ROOT
from tests.kit.machines import BIOS, field


@pytest.mark.parametrize(
    ("release", "old"),
    [
        ("4.18.0-553.el8_10.x86_64", True), ("5.15.0-91-generic", True), ("6.0.19", True), ("6.1.0-18-amd64", False),
        ("6.1", False), ("6.10.1", False), ("10.0-rc1", False), ("unknown", False), ("", False),
    ],
)  # fmt: skip
def test_too_old(release: str, old: bool) -> None:
    assert too_old(release) is old


@pytest.mark.parametrize("name", ["16-old-4.18.0", "16-old-5.14.0", "16-old-5.15.0"])
def test_old_kernels_are_fit_for_nothing(name: str) -> None:
    here = field(name)
    assert {"HIB-E-OLD-KERNEL", "HIB-E-NO-KERNEL"} <= {item.ident for item in blockers(check(here))}
    assert unfit_as_saver(here.kernels[0]) == ["it is older than Linux 6.1"]


def test_an_old_kernel_beside_a_new_one_only_is_no_saver() -> None:
    old = msgspec.structs.replace(BIOS.kernels[0], release="5.15.0", path="/boot/vmlinuz-5.15.0")
    assert blockers(check(msgspec.structs.replace(BIOS, kernels=(old, *BIOS.kernels)))) == []


def test_readme_says_the_same() -> None:
    assert f"Linux {OLDEST[0]}.{OLDEST[1]} or newer" in (ROOT / "README.md").read_text()
