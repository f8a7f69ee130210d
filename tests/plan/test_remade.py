"""The room that this system's own initramfs needs, asked for before set-up changes anything."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from khib_tui.decide.choice import Choice
from khib_tui.errors import CommandFailed
from khib_tui.initramfs import build
from khib_tui.model.boot import BootFacts, Folder
from khib_tui.plan import build as plan
from khib_tui.plan import remade, room
from khib_tui.plan.guard import InstallGuard
from khib_tui.plan.install import InstallSaver, kernel_archive
from khib_tui.plan.step import Context
from tests.kit.machines import BIOS

OLD = 40 << 20


@pytest.fixture
def boot(tmp_path: Path) -> Path:
    """A /boot with two kernels and what lies around."""
    made = tmp_path / "root/boot"
    made.mkdir(parents=True)
    sizes = {"initrd.img-6.1": OLD, "initrd.img-6.12": 10, "initrd.img-6.1.bak": 2 * OLD, "initramfs-0-rescue.img": 3 * OLD}
    for name, count in sizes.items():
        with (made / name).open("wb") as stream:
            stream.truncate(count)
    (made / "initrd.img-old").symlink_to("initrd.img-6.1.bak")
    return made


def test_the_largest_of_this_systems_kernels_counts_once(boot: Path) -> None:
    assert [count for _, count in remade.wanted("initramfs-tools", boot, copied=False)] == [OLD + remade.GROWTH]
    assert [count for _, count in remade.wanted("initramfs-tools", boot, copied=True)] == [OLD, OLD + remade.GROWTH]
    assert [count for _, count in remade.wanted("dracut", boot, copied=False)] == [OLD + remade.GROWTH]
    assert not remade.wanted("initramfs-tools", boot / "none", copied=True)


@pytest.mark.parametrize(
    ("maker", "fstype", "copied"),
    [("initramfs-tools", "vfat", True), ("initramfs-tools", "ext4", False), ("dracut", "vfat", False)],
)  # fmt: skip
def test_initramfs_tools_copies_where_there_are_no_links(maker: str, fstype: str, copied: bool) -> None:
    folder = Folder("/boot", fstype=fstype)
    machine = msgspec.structs.replace(BIOS, initramfs_maker=maker, boot=BootFacts(boot=folder))
    assert remade.copies(machine) is copied
    assert not remade.copies(msgspec.structs.replace(machine, boot=BootFacts()))


def free(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Let every filesystem have so many bytes free."""
    fields = [*os.statvfs("/")[:]]
    fields[0] = fields[1] = 1
    fields[3] = fields[4] = count
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result(fields))


def test_set_up_asks_for_the_room_of_both_before_it_writes(
    choice_of: Callable[..., Choice], context: Context, boot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "build", lambda *_, **__: b"packed")
    choice = choice_of()
    guard = InstallGuard("initramfs-tools", True, "0c5b", 10, "", boot.parent, copied=True)
    install = InstallSaver(choice.kernel, choice.settings, guard=guard)
    kernel = Path(choice.kernel.path)
    own = kernel.stat().st_size + len(kernel_archive(kernel)) + len(b"packed") + room.SLACK
    free(monkeypatch, own + 2 * OLD + remade.GROWTH - 1)
    with pytest.raises(CommandFailed, match="this system's new initramfs") as caught:
        install.apply(context)
    assert caught.value.ident == "HIB-E-BOOT-ROOM" and not context.changed and not Path(choice.settings.boot_dir).exists()
    free(monkeypatch, own + 2 * OLD + remade.GROWTH)
    install.apply(context)
    assert context.changed


def test_one_that_has_the_guard_already_needs_no_room(
    context: Context, boot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr("khib_tui.plan.guard.make_initramfs", lambda *_: True)
    guard = InstallGuard("initramfs-tools", True, "0c5b", 10, "", boot.parent)
    assert guard.room(context)
    guard.apply(context)
    assert not guard.room(context)


def test_the_set_up_knows_of_the_guard_and_a_hibernation_does_not(choice_of: Callable[..., Choice]) -> None:
    choice = choice_of()
    devices = tuple(msgspec.structs.replace(device, partuuid="0c5b") for device in choice.machine.devices)
    machine = msgspec.structs.replace(choice.machine, devices=devices, initramfs_maker="initramfs-tools")
    choice = replace(choice, machine=machine)
    steps = [step for step in plan.setup(choice, Path("/x")) if isinstance(step, InstallSaver)]
    assert isinstance(steps[0].guard, InstallGuard) and plan.install(choice).guard is None


def test_each_filesystem_has_its_own_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = {"esp": 1, "boot": 2}
    for name in numbers:
        (tmp_path / name).mkdir()
    monkeypatch.setattr(room, "_number", lambda path: numbers[path.name])
    free(monkeypatch, 1000 + room.SLACK)
    room.refuse_short([(tmp_path / "esp/a", 1000), (tmp_path / "boot/b", 1000)])
    with pytest.raises(CommandFailed):
        room.refuse_short([(tmp_path / "esp/a", 1000), (tmp_path / "esp/b", 1000)])
