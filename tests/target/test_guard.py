"""Disks that must not have changed while the machine was away."""

from __future__ import annotations

import msgspec

from khib_tui.model.origin import DiskPrint
from khib_tui.target import guard


def test_disks_that_are_missing_or_changed_are_named() -> None:
    root = DiskPrint("vda2", "id", 1, 2, "s", "ROOT", "x")
    data = DiskPrint("vdb1", "id2", 1, 2, "s", "", "y")
    assert guard.compare([root, data], [data, root]) == []
    renamed = msgspec.structs.replace(root, name="sdc2")
    assert guard.compare([root], [renamed]) == []
    changed = msgspec.structs.replace(root, digest="z")
    found = guard.compare([root, data], [changed])
    assert [finding.ident for finding in found] == ["HIB-E-DISK-CHANGED", "HIB-E-DISK-MISSING"]
    assert "vda2 (ROOT)" in found[0].what and all(finding.fix for finding in found)
