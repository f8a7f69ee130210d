"""Taking the set-up away: entries, what the next start was told, kernel and initramfs, guard, choices and seal; images stay."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from khib_tui import files
from khib_tui.bootloader import efi, grub, grubenv, keep
from khib_tui.decide import bootloader
from khib_tui.errors import KhibError
from khib_tui.i18n import _
from khib_tui.initramfs import installed
from khib_tui.linux import efivars
from khib_tui.model import target as targets
from khib_tui.model.boot import FIRMWARE_GUID, LOADER_GUID, Loader, LoaderKind
from khib_tui.model.machine import Machine
from khib_tui.model.settings import Settings
from khib_tui.model.sshfiles import FOLDER
from khib_tui.plan import desktop, guard
from khib_tui.plan.boot import RemoveBootEntry, read_file
from khib_tui.plan.forget import ForgetJourneys
from khib_tui.plan.install import saver_kernel
from khib_tui.plan.journal import folder_for
from khib_tui.plan.nextboot import fresh
from khib_tui.plan.ownfile import RemoveFile
from khib_tui.plan.remote import RemoveKey
from khib_tui.plan.seal import RemoveSeal
from khib_tui.plan.step import Action, Context
from khib_tui.seal import file as sealfile

ONE_SHOT = f"{bootloader.NAME}\0".encode("utf-16-le")
IDS = (grub.ID, bootloader.GRUB_NAME.removesuffix(".conf"))


def remove(machine: Machine, settings: Settings, settings_path: Path, variables: Path = efivars.FOLDER) -> list[Action]:
    """Return the steps that leave no trace of what set-ups of this machine have written; none if there is nothing left.

    The choices go last, since they say where the rest lies: after a failure all of it can be tried again.
    """
    loaders = bootloader.possible(machine, settings)
    folders = dict.fromkeys([*(Path(loader.folder.path) for loader in loaders), Path(settings.boot_dir)])
    environment = Path(machine.boot.grub.path, "grubenv") if machine.boot.grub else None
    forget, seal = ForgetNextStart(variables, environment), sealfile.path_beside(settings_path)
    return [
        *([forget] if forget.wanted() else []),
        *(RemoveBootEntry(loader) for loader in loaders if _has(loader)),
        *(step for folder in folders if (step := RemoveSaver(folder / "khib")).there()),
        *guard.remove(machine),
        *desktop.remove(),
        *own_file(settings),
        *([RemoveKey(FOLDER)] if FOLDER.exists() else []),
        *([RemoveSeal(seal)] if seal.exists() else []),
        *([past] if (past := ForgetJourneys(folder_for(settings_path))).there() else []),
        *([RemoveSettings(settings_path)] if settings_path.exists() else []),
    ]


def own_file(settings: Settings) -> list[Action]:
    """Return the step that takes the file for images away, if the choices name one that is there."""
    try:
        target = targets.parse(settings.target)
    except KhibError:
        return []
    return [RemoveFile(Path(target.path))] if target.own and Path(target.path).is_file() else []


def _has(loader: Loader) -> bool:
    """Return whether a loader's file has our entry; what only lies at the same place is not ours."""
    data = read_file(loader)
    if loader.kind is LoaderKind.GRUB:
        return keep.without(loader, data) != data
    found = keep.parse(loader, data)
    return found is not None and "khib" in found.linux


@dataclass(frozen=True)
class ForgetNextStart:
    """Take back what boot loader or firmware was told about the next start, and what firmware made of it by itself.

    :param variables: the folder of EFI variables.
    :param environment: GRUB's file of variables, if there is one.
    """

    variables: Path
    environment: Path | None

    def describe(self) -> str:
        """Return what is taken back."""
        return _("let the next start be a usual one: take {names} back").format(names=", ".join(self.wanted()) or _("nothing"))

    def wanted(self) -> list[str]:
        """Return the names of what speaks of C."""
        found = [name for name, (place, left) in self._variables().items() if left != efivars.read(place)]
        return [*found, *([grubenv.NEXT] if self._in_environment() else [])]

    def apply(self, context: Context) -> None:
        """Take it back.

        :raises OSError: firmware or disk do not take it.
        """
        for place, left in self._variables().values():
            if left == efivars.read(place):
                continue
            if left:
                efivars.write(place, left)
            else:
                efivars.remove(place)
            context.changed = True
        if self.environment and self._in_environment():
            files.overwrite(self.environment, grubenv.changed(fresh(self.environment), None))
            context.changed = True

    def _variables(self) -> dict[str, tuple[Path, bytes | None]]:
        """Return each variable's place, and what is to be left of it."""
        named = {"LoaderEntryOneShot": LOADER_GUID, "BootNext": FIRMWARE_GUID, "BootOrder": FIRMWARE_GUID}
        places = {name: efivars.place(name, guid, self.variables) for name, guid in named.items()}
        return {name: (place, _without(name, efivars.read(place))) for name, place in places.items()}

    def _in_environment(self) -> bool:
        if self.environment is None:
            return False
        with suppress(OSError):
            return grubenv.value(fresh(self.environment)) in IDS
        return False


def _without(name: str, value: bytes | None) -> bytes | None:
    """Return a variable without our entry; None if nothing is left."""
    if not value or name == "LoaderEntryOneShot":
        return None if value == ONE_SHOT else value
    kept = [number for number in efi.numbers(value) if number != efi.NUMBER]
    return struct.pack(f"<{len(kept)}H", *kept) or None if len(kept) != len(efi.numbers(value)) else value


@dataclass(frozen=True)
class RemoveSaver:
    """Remove the kernel and initramfs of B and C from a folder, and the folder if nothing else is in it."""

    folder: Path

    def describe(self) -> str:
        """Return what is removed."""
        return _("remove {names} from {folder}").format(
            names=_(" and ").join(path.name for path in self.there()) or _("nothing"), folder=self.folder
        )

    def there(self) -> Sequence[Path]:
        """Return those of our files that are there."""
        settings = Settings(boot_dir=str(self.folder.parent))
        initramfs = settings.initramfs
        ours = [saver_kernel(settings), initramfs, installed.key_file(initramfs), settings.kernel_archive]
        return [path for file in ours for path in (file, files.partial(file)) if path.is_file()]

    def apply(self, context: Context) -> None:
        """Remove them."""
        for path in self.there():
            context.changed |= files.remove(path)
        with suppress(OSError):
            self.folder.rmdir()


@dataclass(frozen=True)
class RemoveSettings:
    """Remove the choices, and their folder if nothing else is in it."""

    path: Path

    def describe(self) -> str:
        """Return what is removed."""
        return _("remove the choices in {path}").format(path=self.path)

    def apply(self, context: Context) -> None:
        """Remove them."""
        context.changed |= files.remove(self.path)
        if self.path.parent.name == "khib":
            with suppress(OSError):
                self.path.parent.rmdir()
