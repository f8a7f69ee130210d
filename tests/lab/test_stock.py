"""Distributions' own kernels: which packages they are in; as B and C in a whole cycle."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.commands.labarguments import SAVERS
from khib_tui.errors import CommandFailed
from khib_tui.lab import demo
from khib_tui.lab.build import stock
from khib_tui.lab.cycle import Session
from tests.kit.lab_kit import options, print_event

ONE = "Package: linux-image-amd64\nDepends: linux-image-6.12.117+deb13-amd64 (= 6.12.117-1)\n"
SPLIT = (
    "Depends: dracut | initramfs-tools, linux-base-7.2.13+deb14-amd64 (= 7.2.13-1),"
    " linux-binary-7.2.13+deb14-amd64 (= 7.2.13-1), linux-modules-7.2.13+deb14-amd64 (= 7.2.13-1)\n"
)


def test_the_newest_kernel_is_what_the_metapackage_needs() -> None:
    assert stock.newest_release(ONE) == "6.12.117+deb13-amd64"
    with pytest.raises(CommandFailed):
        stock.newest_release("Package: linux-image-amd64\n")


def test_a_kernel_may_be_in_several_packages() -> None:
    assert stock.parts("Depends: kmod, initramfs-tools\n", "6.1.0-50-amd64") == ["linux-image-6.1.0-50-amd64"]
    assert stock.parts(SPLIT, "7.2.13+deb14-amd64") == [
        "linux-image-7.2.13+deb14-amd64", "linux-base-7.2.13+deb14-amd64", "linux-binary-7.2.13+deb14-amd64",
        "linux-modules-7.2.13+deb14-amd64",
    ]  # fmt: skip


def test_of_a_folder_of_modules_only_those_that_are_spared_stay(tmp_path: Path) -> None:
    for name in ("virtio_net.ko", "sub/net_failover.ko.xz", "sub/e100.ko"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    stock.drop(tmp_path, stock.NETWORK)
    assert sorted(path.name for path in tmp_path.rglob("*.ko*")) == ["net_failover.ko.xz", "virtio_net.ko"]
    stock.drop(tmp_path / "nowhere", ())


def test_what_can_be_typed_is_what_can_be_fetched() -> None:
    assert list(stock.SUITES) == SAVERS


@pytest.mark.lab
@pytest.mark.long
@pytest.mark.parametrize("saver", ["debian-12", "debian-13", "newest"])
def test_a_stock_kernel_saves_and_restores(saver: str, tmp_path: Path) -> None:
    arguments = options(saver=saver, memory=1536)
    session = Session(demo.prepare(arguments, tmp_path, print_event), print_event)
    try:
        assert demo.is_good(demo.cycles(session, arguments, print_event))
    finally:
        session.end()
