"""Programs for B and C."""

from __future__ import annotations

import shutil

import pytest

from khib_tui.initramfs import elfdeps, sysfiles


def test_without_busybox_there_is_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name, **more: None if name == "busybox" else which(name, **more))
    found = sysfiles.programs()
    assert elfdeps.placed("/bin/sh") in found
    assert not list(sysfiles.applets(found))
