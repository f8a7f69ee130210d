"""The guard of normal starts: installed once, packed into the initramfs when it changed, and gone without a trace."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import msgspec
import pytest
from msgspec.structs import replace

from khib_tui import runner
from khib_tui.decide import bootloader
from khib_tui.decide.choice import Choice
from khib_tui.events.types import Event, Level, Message
from khib_tui.guard import files as guard_files
from khib_tui.model.boot import Loader, LoaderKind
from khib_tui.model.machine import InitramfsMaker
from khib_tui.model.setupid import setup_id
from khib_tui.plan import build
from khib_tui.plan.guard import InstallGuard, RemoveGuard, remove, steps
from khib_tui.plan.step import Context
from tests.kit.machines import BIOS

PARTUUID = "0c5b8a1e-0000-4000-8000-00000000000a"

DONE = CompletedProcess([], 0, "", "")


def listen(monkeypatch: pytest.MonkeyPatch, done: CompletedProcess[str]) -> list[list[str]]:
    """Run no program from now on; gives what would have been run."""
    times: list[list[str]] = []

    def run(words: list[str], **_: object) -> CompletedProcess[str]:
        times.append(words)
        return done

    monkeypatch.setattr(runner, "run", run)
    return times


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The programs that were run."""
    return listen(monkeypatch, DONE)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small system, with files of its own where ours go."""
    made = tmp_path / "root"
    for name in ("etc/khib/khib.toml", "etc/machine-id", "etc/systemd/system/own.service", "usr/lib/dracut/modules.d/95own/x"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(f"{name}\n")
    for folder in ("hooks", "scripts/init-premount"):
        (made / "etc/initramfs-tools" / folder).mkdir(parents=True)
    return made


def tree(root: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(root)): path.read_bytes() if path.is_file() else None for path in root.rglob("*")}


def install(
    root: Path, maker: InitramfsMaker = "initramfs-tools", *, countdown: int = 10, next_boot: str = ""
) -> InstallGuard:  # fmt: skip
    return InstallGuard(maker, True, PARTUUID, countdown, next_boot, root)


MAKERS = pytest.mark.parametrize("maker", ["initramfs-tools", "dracut"])


@MAKERS
def test_it_is_installed_and_packed_once(root: Path, context: Context, ran: list[list[str]], maker: InitramfsMaker) -> None:
    install(root, maker).apply(context)
    assert context.changed and [words[0] for words in ran] == [maker.replace("initramfs-tools", "update-initramfs")]
    again = Context(context.sink)
    install(root, maker).apply(again)
    assert not again.changed and len(ran) == 1


@MAKERS
def test_after_removal_all_is_as_before(root: Path, context: Context, ran: list[list[str]], maker: InitramfsMaker) -> None:
    before = tree(root)
    install(root, maker).apply(context)
    assert len(tree(root)) > len(before)
    RemoveGuard(maker, root).apply(context)
    assert tree(root) == before and len(ran) == 2
    RemoveGuard(maker, root).apply(context)
    assert tree(root) == before and len(ran) == 2


def test_the_initramfs_is_made_anew_when_what_is_packed_has_changed(root: Path, context: Context, ran: list[list[str]]) -> None:
    install(root).apply(context)
    install(root, countdown=60).apply(context)
    install(root, countdown=60, next_boot="true\n").apply(context)
    assert len(ran) == 3 and (root / guard_files.NEXT).read_text() == "true\n"
    install(root, countdown=60, next_boot="true\n").apply(context)
    assert len(ran) == 3
    install(root, countdown=60).apply(context)
    assert len(ran) == 4 and not (root / guard_files.NEXT).exists()


def test_the_settings_are_those_of_this_system(root: Path, context: Context, ran: list[list[str]]) -> None:
    install(root, countdown=-1).apply(context)
    text = (root / guard_files.SETTINGS).read_text()
    assert f"PARTUUID='{PARTUUID}'\n" in text and f"SETUP='{setup_id(root)}'\n" in text and "COUNTDOWN=10\n" in text
    assert (root / guard_files.SCRIPT).read_text() == guard_files.script()


def test_what_is_run_can_be_run(root: Path, context: Context, ran: list[list[str]]) -> None:
    for maker in ("initramfs-tools", "dracut"):
        install(root, maker).apply(context)
    scripts = [path for path in root.rglob("*") if path.is_file() and path.read_bytes().startswith(b"#!")]
    assert len(scripts) == 5
    for path in scripts:
        shell = "bash" if path.read_text().startswith("#!/bin/bash") else "dash"
        assert os.access(path, os.X_OK)
        assert subprocess.run([shell, "-n", path], check=False).returncode == 0
        assert path.name == "guard" or "khib" in path.read_text()
    prereqs = [path for path in scripts if "initramfs-tools" in str(path)]
    outputs = {subprocess.run(["dash", path, "prereqs"], capture_output=True, check=True).stdout for path in prereqs}
    assert outputs == {b""}


def test_an_initramfs_that_cannot_be_made_is_told_and_tried_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Event] = []

    failed = CompletedProcess([], 1, "", "ln: failed to link\nrun-parts: a hook exited with return code 127\n")
    listen(monkeypatch, failed)
    install(root).apply(Context(said.append))
    warnings = [event.text for event in said if isinstance(event, Message) and event.level is Level.WARNING]
    assert len(warnings) == 1 and "code 1: run-parts: a hook exited" in warnings[0]
    assert "update-initramfs -u" in warnings[0] and "not known" in warnings[0]
    ran = listen(monkeypatch, DONE)
    install(root).apply(Context(said.append))
    assert len(ran) == 1


def test_systemd_alone_makes_no_initramfs(root: Path, context: Context, ran: list[list[str]]) -> None:
    install(root, "").apply(context)
    assert ran == [] and (root / "etc/systemd/system/khib-guard.service").exists()


def on(choice: Choice, **facts: object) -> Choice:
    """The choice, on a machine with other facts; its target has a PARTUUID."""
    devices = tuple(
        msgspec.structs.replace(device, partuuid=PARTUUID.upper()) if device.path == "/dev/vdb1" else device
        for device in choice.machine.devices
    )
    machine = msgspec.structs.replace(choice.machine, devices=devices, **facts)
    return replace(choice, machine=machine)


def test_the_set_up_has_the_step_where_something_can_guard(choice_of: Callable[..., Choice], tmp_path: Path) -> None:
    choice = choice_of(countdown=30)
    assert steps(on(choice)) == []
    wanted = InstallGuard("dracut", True, PARTUUID, 30, "")
    there = on(choice, initramfs_maker="dracut", systemd=True)
    assert steps(there) == [wanted] and wanted in build.setup(there, tmp_path / "khib.toml")


def test_beside_grub_the_guard_tells_the_firmware(choice_of: Callable[..., Choice], monkeypatch: pytest.MonkeyPatch) -> None:
    there = on(choice_of(), initramfs_maker="dracut", systemd=True)
    beside = Loader(LoaderKind.EFI, bootloader.EFI_ENTRY, there.loader.folder)
    monkeypatch.setattr(bootloader, "firmware", lambda *_: beside)
    (found,) = steps(there)
    assert isinstance(found, InstallGuard) and "BootNext" in found.next_boot


def test_a_guard_of_a_former_target_goes_when_the_new_one_is_a_file(choice_of: Callable[..., Choice]) -> None:
    choice = choice_of(target="/dev/vdb2:/image")
    assert steps(on(choice, initramfs_maker="dracut")) == []
    assert steps(on(choice, initramfs_maker="dracut", guarded=True)) == [RemoveGuard("dracut")]


def test_nothing_is_removed_where_nothing_is() -> None:
    assert remove(BIOS) == []
    assert remove(msgspec.structs.replace(BIOS, guarded=True)) == [RemoveGuard("")]


@pytest.mark.usefixtures("ran")
def test_an_image_in_a_swap_is_given_up_before_the_system_swaps_there(root: Path, context: Context) -> None:
    before = tree(root)
    install(root).apply(context)
    without = tree(root)
    replace(install(root), lent=True).apply(context)
    assert "After=khib-guard.service" in (root / guard_files.BEFORE_SWAP).read_text()
    assert "SWAPS=/proc/swaps\n" in (root / guard_files.SETTINGS).read_text()
    install(root).apply(context)
    assert tree(root).keys() == without.keys()
    assert "SWAPS" not in (root / guard_files.SETTINGS).read_text()
    replace(install(root), lent=True).apply(context)
    RemoveGuard("initramfs-tools", root).apply(context)
    assert {name for name, data in tree(root).items() if data} == {name for name, data in before.items() if data}
    assert not (root / "etc/systemd/system/swap.d").exists()
