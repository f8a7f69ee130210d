"""A small Debian with a kernel that cannot jump, its modules, and a source whose make takes no time."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest

from khib_tui.kbuild.stock import Stock, identify
from khib_tui.kbuild.work import Work
from tests.kit import faketree
from tests.kit.kbuild_kit import CONFIG, RELEASE, VERSION, image, kernel_source, module


@pytest.fixture
def stock(tmp_path: Path) -> Stock:
    """Its kernel."""
    root = tmp_path / "root"
    plain = module(versions={"printk": 0x1234, "helper": 7})
    packed = module(versions={"printk": 0x1234}, exports=("helper",))
    faketree.tree(root, {
        f"boot/config-{RELEASE}": CONFIG,
        f"lib/modules/{RELEASE}/kernel/fs/one.ko": plain,
        f"lib/modules/{RELEASE}/kernel/fs/two.ko.xz": lzma.compress(packed),
        f"lib/modules/{RELEASE}/modules.order": "kernel/fs/one.ko\nkernel/fs/two.ko\n",
        f"lib/modules/{RELEASE}/modules.builtin": "kernel/fs/three.ko\n",
    })  # fmt: skip
    path = root / f"boot/vmlinuz-{RELEASE}"
    path.write_bytes(image(f"{RELEASE} (debian-kernel@lists.debian.org) #1 SMP Debian {VERSION} (2026-01-01)"))
    return identify(path)


@pytest.fixture
def work(stock: Stock, tmp_path: Path) -> Work:
    """A build of it, whose source is there."""
    work = Work(stock, tmp_path / "work", whole=False, jobs=2)
    kernel_source(work.source / f"{stock.package}.tar.xz")
    return work
