"""Setting up: what is written, and that nothing is written twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from khib_tui.decide.choice import Choice
from khib_tui.initramfs import build
from khib_tui.model import settings as kept
from khib_tui.plan.install import InstallSaver, KeepSettings, saver_kernel
from khib_tui.plan.step import Context
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
