"""What is changed in a configuration; the long test asks the kernel's own tools."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from khib_tui.errors import CommandFailed
from khib_tui.facts import kconfig
from khib_tui.kbuild import config, make, source
from khib_tui.kbuild.stock import Stock
from khib_tui.kbuild.work import Work
from khib_tui.lab.build.kernel import newest_source
from khib_tui.lab.build.stock import stock_kernel
from tests.kit.kbuild_kit import CONFIG
from tests.kit.saved import nothing

TABLE = kconfig.parse(CONFIG)


def test_alone_a_kernel_keeps_all_that_modules_see() -> None:
    names = {change.name for change in config.changes(TABLE, whole=False)}
    assert names == {"KEXEC_JUMP", "SYSTEM_TRUSTED_KEYS", "MODULE_SIG_ALL"}


def test_with_its_modules_it_goes_without_what_only_debuggers_use() -> None:
    made = config.changed(CONFIG, wanted := config.changes(TABLE, whole=True))
    assert config.lost(made, wanted) == [] and all(change.why for change in wanted)
    lines = made.splitlines()
    assert "CONFIG_DEBUG_INFO_NONE=y" in lines and "# CONFIG_DEBUG_INFO_BTF is not set" in lines
    assert "# CONFIG_MODULE_SIG_ALL is not set" in lines and "CONFIG_MODULE_SIG=y" in lines
    assert lines.count("CONFIG_KEXEC_JUMP=y") == 1 and 'CONFIG_SYSTEM_TRUSTED_KEYS=""' in lines


def test_what_does_not_stick_is_named_and_what_else_moves_too() -> None:
    wanted = config.changes(TABLE, whole=False)
    made = config.changed(CONFIG, wanted)
    assert config.lost(made.replace("CONFIG_KEXEC_JUMP=y", ""), wanted) == ["KEXEC_JUMP"]
    other = made.replace("gcc there", "gcc here") + 'CONFIG_NEW=y\nCONFIG_SALT=""\n# CONFIG_MODULE_SIG_ALL is not set\n'
    assert config.moved(CONFIG, other, wanted) == ["CC_VERSION_TEXT", "NEW"]


def test_a_source_without_the_option_is_refused_with_its_name(work: Work) -> None:
    work.tree.mkdir(parents=True)
    (work.tree / "Makefile").write_text("olddefconfig:\n\t@sed -i /KEXEC_JUMP/d .config\n")
    with pytest.raises(CommandFailed, match="KEXEC_JUMP") as caught:
        make.configure(work, config.changes(work.stock.config, whole=False))
    assert caught.value.ident == "HIB-E-BUILD-CONFIG"


@pytest.mark.long
@pytest.mark.parametrize("whole", [False, True])
def test_the_kernels_own_tools_take_the_changes(whole: bool, tmp_path: Path) -> None:
    """Debian's configuration and Debian's source: nothing but what was asked for becomes other."""
    given = stock_kernel(nothing, "debian-12")
    version = f"{given.release.split('-')[0]}-1"
    stock = Stock(given.bzimage, given.release, version, given.config.read_text(), given.modules)
    work = Work(stock, tmp_path, whole=whole, jobs=os.cpu_count() or 1)
    source.unpack(work, newest_source())
    moved = make.configure(work, config.changes(stock.config, whole=whole))
    rest = set(moved) - ALONE - (LEAN if whole else set())
    assert len(rest) <= OF_THE_VERSION and not rest & {"MODVERSIONS", "SMP", "MODULE_SIG", "DEBUG_INFO_BTF"}, rest


# what names the compiler and its helpers; what Debian's packaging gives at build time
ALONE = {"CC_VERSION_TEXT", "PAHOLE_HAS_SPLIT_BTF", "PAHOLE_HAS_LANG_EXCLUDE", "MODULE_SIG_KEY"}
# what depends on what is off
LEAN = {"DEBUG_INFO", "DEBUG_INFO_BTF_MODULES", "MODULE_ALLOW_BTF_MISMATCH"}
# The source that is installed here may be some releases newer than the lab's stock kernel.
OF_THE_VERSION = 8
