"""What makes the initramfs of a system, told by its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.facts.earlystart import initramfs_maker
from khib_tui.facts.probe import probe

TOOLS = ["usr/share/initramfs-tools/hook-functions", "usr/sbin/update-initramfs"]
DRACUT = ["usr/lib/dracut/modules.d/99base/x", "usr/bin/dracut"]


@pytest.mark.parametrize(
    ("there", "maker"),
    [([], ""), (TOOLS, "initramfs-tools"), (DRACUT, "dracut"), ([*TOOLS, *DRACUT], "initramfs-tools"), (TOOLS[:1], ""),
     (TOOLS[1:], ""), ([*TOOLS[1:], *DRACUT], "dracut"), (DRACUT[:1], "")],
)  # fmt: skip
def test_the_maker_is_known_by_its_files(tmp_path: Path, there: list[str], maker: str) -> None:
    for name in there:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert initramfs_maker(tmp_path) == maker


def test_a_guard_and_systemd_are_facts(tmp_path: Path) -> None:
    before = probe(tmp_path)
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    (tmp_path / "etc/khib").mkdir(parents=True)
    (tmp_path / "etc/khib/guard.conf").touch()
    after = probe(tmp_path)
    assert (before.systemd, before.guarded, after.systemd, after.guarded) == (False, False, True, True)
