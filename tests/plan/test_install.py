"""Setting up: what is written, and that nothing is written twice."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from khib_tui import files
from khib_tui.decide.choice import Choice
from khib_tui.errors import CommandFailed
from khib_tui.handover import place
from khib_tui.initramfs import build
from khib_tui.model import settings as kept
from khib_tui.plan import build as plan
from khib_tui.plan import room
from khib_tui.plan.install import InstallSaver, KeepSettings, kernel_archive, saver_kernel
from khib_tui.plan.step import Context
from khib_tui.runner import run
from tests.kit.saved import nothing


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often an initramfs was built."""
    times: list[str] = []

    def fake(*_: object, **__: object) -> bytes:
        times.append("built")
        return b"packed"

    monkeypatch.setattr(build, "build", fake)
    return times


def test_kernel_and_initramfs_are_installed_once(choice_of: Callable[..., Choice], context: Context, built: list[str]) -> None:
    choice = choice_of()
    install = InstallSaver(choice.kernel, choice.settings)
    install.apply(context)
    assert context.changed and built == ["built"]
    assert saver_kernel(choice.settings).read_bytes() == Path(choice.kernel.path).read_bytes()
    assert choice.settings.initramfs.read_bytes() == b"packed"
    assert choice.settings.kernel_archive.read_bytes() == kernel_archive(Path(choice.kernel.path))
    again = Context(nothing)
    install.apply(again)
    assert not again.changed and built == ["built"]


def test_another_kernel_of_the_same_size_is_copied_anew(
    choice_of: Callable[..., Choice], context: Context, built: list[str]
) -> None:
    choice = choice_of()
    install = InstallSaver(choice.kernel, choice.settings)
    install.apply(context)
    source = Path(choice.kernel.path)
    source.write_bytes(source.read_bytes()[:-1] + b"!")
    again = Context(nothing)
    install.apply(again)
    assert again.changed and saver_kernel(choice.settings).read_bytes() == source.read_bytes()
    assert choice.settings.kernel_archive.read_bytes() == kernel_archive(source)


def test_an_archive_of_the_kernel_that_is_missing_is_made(
    choice_of: Callable[..., Choice], context: Context, built: list[str]
) -> None:
    choice = choice_of()
    install = InstallSaver(choice.kernel, choice.settings)
    install.apply(context)
    choice.settings.kernel_archive.unlink()
    again = Context(nothing)
    install.apply(again)
    assert again.changed and choice.settings.kernel_archive.exists() and built == ["built"]


@pytest.mark.skipif(not shutil.which("cpio"), reason="needs cpio")
def test_the_archive_holds_the_kernel_where_the_restorer_looks(tmp_path: Path) -> None:
    kernel = tmp_path / "vmlinuz"
    kernel.write_bytes(bytes(range(256)) * 33)
    path = tmp_path / "kernel.cpio"
    path.write_bytes(kernel_archive(kernel))
    (tmp_path / "root").mkdir()
    run(["cpio", "-idm", "--quiet", "--no-absolute-filenames", "-F", path], cwd=tmp_path / "root")
    assert (tmp_path / "root" / place.KERNEL).read_bytes() == kernel.read_bytes()


def test_an_initramfs_that_was_given_is_kept(choice_of: Callable[..., Choice], context: Context, built: list[str]) -> None:
    choice = choice_of()
    choice.settings.directory.mkdir(parents=True)
    choice.settings.initramfs.write_bytes(b"mine")
    choice.settings.initramfs.with_suffix(".key").write_text("given\n")
    InstallSaver(choice.kernel, choice.settings).apply(context)
    assert choice.settings.initramfs.read_bytes() == b"mine" and built == []


def test_a_kernel_that_is_gone_changes_nothing(choice_of: Callable[..., Choice], context: Context, built: list[str]) -> None:
    choice = choice_of()
    Path(choice.kernel.path).unlink()
    with pytest.raises(FileNotFoundError):
        InstallSaver(choice.kernel, choice.settings).apply(context)
    assert not context.changed and not list(Path(choice.settings.boot_dir).rglob("*.*")) and built == []


def test_the_choices_are_kept_as_they_are(choice_of: Callable[..., Choice], context: Context, tmp_path: Path) -> None:
    chosen = choice_of(codec="zstd", verify=True).settings
    KeepSettings(chosen, tmp_path / "etc" / "khib.toml").apply(context)
    assert kept.load(tmp_path / "etc" / "khib.toml") == chosen and context.changed


def free(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Let every filesystem have so many bytes free."""
    real = os.statvfs("/")
    fields = [*real[:]]
    fields[0] = fields[1] = 1
    fields[3] = fields[4] = count
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result(fields))


def test_too_small_a_boot_partition_is_told_before_anything_is_written(
    choice_of: Callable[..., Choice], context: Context, built: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = choice_of()
    install = InstallSaver(choice.kernel, choice.settings)
    kernel = Path(choice.kernel.path)
    need = kernel.stat().st_size + len(kernel_archive(kernel)) + len(b"packed") + room.SLACK
    free(monkeypatch, need - 1)
    with pytest.raises(CommandFailed) as caught:
        install.apply(context)
    assert caught.value.ident == "HIB-E-BOOT-ROOM" and str(choice.settings.directory) in caught.value.message
    assert choice.kernel.path not in caught.value.message and caught.value.hint
    assert not context.changed and not Path(choice.settings.boot_dir).exists() and built == ["built"]
    free(monkeypatch, need)
    install.apply(context)
    assert choice.settings.initramfs.read_bytes() == b"packed"


def test_a_former_file_counts_as_room_once_the_new_one_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(bytes(1000))
    free(monkeypatch, 1000 + room.SLACK)
    room.refuse_short([(old, 1000), (new, 1000)])
    with pytest.raises(CommandFailed):
        room.refuse_short([(new, 1000), (old, 1000)])


def test_a_full_partition_names_the_destination_and_keeps_no_part(tmp_path: Path) -> None:
    source, copy = tmp_path / "source", tmp_path / "boot/vmlinuz"
    source.write_bytes(bytes(100))
    with pytest.raises(OSError, match="No space left") as caught, files.whole(copy) as out:
        out.write(b"begun")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.filename == str(copy) and list(copy.parent.iterdir()) == []


@pytest.mark.parametrize(("target", "expected"), [("/dev/vdb1", ""), ("/dev/vdb2:/h.khib", "ext4")])
def test_the_initramfs_is_made_for_the_filesystem_of_the_targets_file(
    choice_of: Callable[..., Choice], target: str, expected: str
) -> None:
    assert plan.install(choice_of(target=target)).filesystem == expected
