"""Setting up: the kernel and initramfs of B and C, C's boot entry, the user's choices."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from khib_tui import files
from khib_tui.initramfs import installed
from khib_tui.model.machine import KernelFile
from khib_tui.model.settings import Settings
from khib_tui.model.settings import save as save_settings
from khib_tui.plan.step import Context


@dataclass(frozen=True)
class InstallSaver:
    """Keep a copy of B's and C's kernel, and their initramfs, where the boot loader finds them."""

    kernel: KernelFile
    settings: Settings

    def describe(self) -> str:
        """Return what is installed where."""
        return f"keep kernel {self.kernel.release} and its initramfs in {self.settings.directory}"

    def apply(self, context: Context) -> None:
        """Copy and build only what is not there yet."""
        context.changed |= copy_if_newer(Path(self.kernel.path), saver_kernel(self.settings))
        if installed.key(self.settings.initramfs) == installed.GIVEN:
            return
        from khib_tui.initramfs import build

        context.changed |= build.install(context.sink, self.settings.initramfs, self.kernel.release, self.kernel.config)


def saver_kernel(settings: Settings) -> Path:
    """Where the kernel of B and C is kept."""
    return settings.directory / "vmlinuz"


def copy_if_newer(source: Path, copy: Path) -> bool:
    """Copy a file unless an equal copy is there; return whether it was copied."""
    if copy.exists() and copy.stat().st_size == source.stat().st_size and copy.read_bytes() == source.read_bytes():
        return False
    with source.open("rb") as stream, files.whole(copy, files.PUBLIC) as out:
        shutil.copyfileobj(stream, out)
    return True


@dataclass(frozen=True)
class KeepSettings:
    """Keep the user's choices."""

    settings: Settings
    path: Path

    def describe(self) -> str:
        """Describe where it goes."""
        return f"keep these choices in {self.path}"

    def apply(self, context: Context) -> None:
        """Write the file."""
        save_settings(self.settings, self.path)
        context.changed = True
