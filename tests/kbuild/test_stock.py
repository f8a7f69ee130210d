"""Which kernel it is, and where its source and its modules are."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from khib_tui.decide.kernel import unfit_as_a
from khib_tui.errors import Refused
from khib_tui.kbuild.stock import Stock, identify
from tests.kit.kbuild_kit import CONFIG, RELEASE, VERSION, image
from tests.kit.machines import BIOS


def test_all_is_read_from_the_kernel_itself(stock: Stock) -> None:
    assert (stock.release, stock.version, stock.package) == (RELEASE, VERSION, "linux-source-6.1")
    assert stock.ours == "6.1.0-9-amd64-khib" and stock.modules.is_dir() and stock.modules_fit


def test_modules_of_a_kernel_without_their_versions_fit_no_other(stock: Stock) -> None:
    config = stock.path.with_name(f"config-{RELEASE}")
    config.write_text(CONFIG.replace("CONFIG_MODVERSIONS=y", "# CONFIG_MODVERSIONS is not set"))
    assert not identify(stock.path).modules_fit


@pytest.mark.parametrize(
    ("banner", "config", "ident"),
    [
        ("6.8.0-31-generic (x) #31-Ubuntu SMP", CONFIG, "HIB-E-BUILD-FOREIGN"),
        (f"{RELEASE} (x) #1 SMP Debian 6.1.27-1 (2026)", "", "HIB-E-BUILD-CONFIG"),
        (f"{RELEASE} (x) #1 SMP Debian 6.1.27-1 (2026)", "CONFIG_KEXEC_JUMP=y\n", "HIB-E-BUILD-HAS-IT"),
    ],
)
def test_what_cannot_be_built_is_refused(tmp_path: Path, banner: str, config: str, ident: str) -> None:
    path = tmp_path / "vmlinuz"
    path.write_bytes(image(banner))
    if config:
        (tmp_path / f"config-{RELEASE}").write_text(config)
    with pytest.raises(Refused) as caught:
        identify(path)
    assert caught.value.ident == ident and caught.value.hint


@pytest.mark.parametrize(
    ("version", "named"),
    [("#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-10)", True), ("#31-Ubuntu SMP PREEMPT_DYNAMIC Sat Apr 20", False)],
)
def test_check_names_the_command_on_debians_own_kernel(version: str, named: bool) -> None:
    config = {name: value for name, value in BIOS.config.items() if name != "KEXEC_JUMP"}
    machine = msgspec.structs.replace(BIOS, config=config, version=version)
    (finding,) = (finding for finding in unfit_as_a(machine) if finding.ident == "HIB-E-KEXEC-JUMP")
    assert (("khib kernels build" in finding.fix) is named and "Arch" in finding.fix) or named
