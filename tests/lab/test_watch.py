"""What the lab's guest notes around a hibernation, and the files of a Debian with systemd."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.lab.build import bootable, desktop, kernel
from khib_tui.lab.guest import watch
from khib_tui.lab.guest.watch import Watch


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def watched(said: list[str]) -> Watch:
    return Watch(lambda what, at: said.append(what))


def test_what_changes_is_noted_once(tmp_path: Path, watched: Watch, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    events = tmp_path / "cgroup.events"
    monkeypatch.setattr(watch, "SLICE", events)
    events.write_text("populated 1\nfrozen 0\n")
    watched.look()
    events.write_text("populated 1\nfrozen 1\n")
    watched.look()
    watched.look()
    assert said == ["cgroup.events populated 1 frozen 1"]


def test_its_own_stop_and_the_system_s_sleep_are_noted(watched: Watch, said: list[str]) -> None:
    watched.at -= 5
    watched.away -= 60
    watched.look()
    assert said == ["stopped", "went on", "slept 60.0"]


def test_the_kernel_starts_systemd_and_not_the_agent() -> None:
    assert "init=" in bootable.WORDS and "init=" not in desktop.WORDS and "khib.lab=demo" in desktop.WORDS
    assert desktop.WORDS in desktop.FILES["etc/default/grub"].text and "init=" not in desktop.FILES["etc/default/grub"].text
    assert "tmpfs" not in desktop.FSTAB and desktop.FSTAB.count("\n") == 2
    assert "usr/sbin/khib-init" not in desktop.FILES


def test_a_changed_module_is_another_kernel(tmp_path: Path) -> None:
    source, module = tmp_path / "linux-source-1.tar", tmp_path / "listener.c"
    source.write_bytes(b"x")
    module.write_text("one")
    first = kernel.source_key(source, [kernel.DISK_FRAGMENT, module])
    module.write_text("two")
    assert kernel.source_key(source, [kernel.DISK_FRAGMENT, module]) != first
