"""Setting up: the kernel and initramfs of B and C, C's boot entry, the user's choices."""

from __future__ import annotations

import shutil
from pathlib import Path

from msgspec import Struct

from khib_tui import files
from khib_tui.formats import cpio
from khib_tui.handover import place
from khib_tui.i18n import _
from khib_tui.initramfs import installed
from khib_tui.model.machine import NO_DISPLAY, Display, KernelFile
from khib_tui.model.settings import Settings
from khib_tui.model.settings import save as save_settings
from khib_tui.plan import room
from khib_tui.plan.guard import InstallGuard
from khib_tui.plan.step import Context


class InstallSaver(Struct, frozen=True):
    """Keep a copy of B's and C's kernel, and their initramfs, where the boot loader finds them.

    `filesystem` is the kind that the target's file lies on, empty for a partition; `display` what B draws with. `guard` comes
    later, and needs room for this system's own initramfs, which it makes anew.
    """

    kernel: KernelFile
    settings: Settings
    filesystem: str = ""
    display: Display = NO_DISPLAY
    guard: InstallGuard | None = None

    def describe(self) -> str:
        """Return what is installed where."""
        with_driver = "".join(
            _(", with {name},").format(name=name) for name in (self.filesystem, self.display.module) if name
        ).replace(",,", _(" and"))
        return _("keep kernel {release} and its initramfs{with_driver} in {directory}").format(
            release=self.kernel.release, with_driver=with_driver, directory=self.settings.directory
        )

    def apply(self, context: Context) -> None:
        """Build and copy only what is not there yet, once it is known that all of it fits.

        :raises KhibError: there is no room, or no driver for the target's filesystem; nothing was changed.
        """
        source, copy, initramfs = Path(self.kernel.path), saver_kernel(self.settings), self.settings.initramfs
        archive, packed = self.settings.kernel_archive, kernel_archive(source)
        wanted = [] if same(source, copy) else [(copy, source.stat().st_size)]
        wanted += [] if holds(archive, packed) else [(archive, len(packed))]
        made = None
        if installed.key(initramfs) != installed.GIVEN:
            from khib_tui.initramfs import build

            made = build.made(context.sink, initramfs, self.kernel.release, self.kernel.config, self.filesystem, self.display)
            wanted += [(initramfs, len(made.data))] if made else []
        room.refuse_short([*wanted, *(self.guard.room(context) if self.guard else [])])
        context.changed |= copy_if_newer(source, copy)
        if not holds(archive, packed):
            files.write(archive, packed, files.PUBLIC)
            context.changed = True
        if made:
            build.write(initramfs, made)
            context.changed = True


def saver_kernel(settings: Settings) -> Path:
    """Where the kernel of B and C is kept."""
    return settings.directory / "vmlinuz"


def kernel_archive(kernel: Path) -> bytes:
    """Return the archive that a boot loader puts behind C's initramfs: its kernel as a file.

    :raises OSError: the kernel cannot be read.
    """
    folder = cpio.directory(str(Path(place.KERNEL).parent))
    return cpio.archive([folder, cpio.file(place.KERNEL, kernel.read_bytes())])


def holds(path: Path, data: bytes) -> bool:
    """Return whether a file is there with just this content."""
    return path.exists() and path.stat().st_size == len(data) and path.read_bytes() == data


def same(source: Path, copy: Path) -> bool:
    """Return whether a file has an equal copy.

    :raises OSError: the file cannot be read.
    """
    length = source.stat().st_size
    return copy.exists() and copy.stat().st_size == length and copy.read_bytes() == source.read_bytes()


def copy_if_newer(source: Path, copy: Path) -> bool:
    """Copy a file unless an equal copy is there; return whether it was copied."""
    if same(source, copy):
        return False
    with source.open("rb") as stream, files.whole(copy, files.PUBLIC) as out:
        shutil.copyfileobj(stream, out)
    return True


class CopySaver(Struct, frozen=True):
    """Keep a second copy of kernel and initramfs where the firmware itself finds them.

    :param settings: the choices with the folder of the first copy.
    :param copies: the same with that of the second.
    """

    settings: Settings
    copies: Settings

    def describe(self) -> str:
        """Return what is copied where."""
        return _("copy kernel and initramfs to {directory}, where the firmware finds them").format(
            directory=self.copies.directory
        )

    def apply(self, context: Context) -> None:
        """Copy what differs, once it is known that all of it fits.

        :raises KhibError: there is no room; nothing was changed.
        """
        pairs = [(saver_kernel(self.settings), saver_kernel(self.copies)), (self.settings.initramfs, self.copies.initramfs)]
        wanted = [(source, copy) for source, copy in pairs if not same(source, copy)]
        room.refuse_short([(copy, source.stat().st_size) for source, copy in wanted])
        for source, copy in wanted:
            context.changed |= copy_if_newer(source, copy)


class KeepSettings(Struct, frozen=True):
    """Keep the user's choices."""

    settings: Settings
    path: Path

    def describe(self) -> str:
        """Describe where it goes."""
        return _("keep these choices in {path}").format(path=self.path)

    def apply(self, context: Context) -> None:
        """Write the file."""
        save_settings(self.settings, self.path)
        context.changed = True
