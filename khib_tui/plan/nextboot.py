"""The next start is C's, and only that one: told to boot loader or firmware right before the jump, and taken back after it."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from khib_tui import files
from khib_tui.bootloader import efi, grub, grubenv
from khib_tui.decide import nextboot
from khib_tui.decide.choice import Choice
from khib_tui.decide.nextboot import OneShot
from khib_tui.errors import CommandFailed
from khib_tui.events.types import Level, Message
from khib_tui.i18n import _
from khib_tui.linux import efivars
from khib_tui.model.boot import FIRMWARE_GUID, LOADER_GUID, Loader, LoaderKind
from khib_tui.plan.step import Action, Context


def steps(choice: Choice) -> list[Action]:
    """Return the step of a hibernation, if the next start can be told to anybody."""
    way = nextboot.choose(choice.machine, choice.loader, choice.target)
    return [] if way is OneShot.HAND else [NextBoot(way, choice.loader, grubenv_of(choice))]


def grubenv_of(choice: Choice) -> Path:
    """Return the file in which GRUB keeps its variables."""
    folder = choice.machine.boot.grub
    return Path(folder.path if folder else "/boot/grub", "grubenv")


class NextBoot(Struct, frozen=True):
    """Let C be started next. `Context.disarm` takes it back: when A is here again, nobody is to start C any more.

    :param environment: GRUB's file of variables.
    :param variables: the folder of EFI variables.
    """

    way: OneShot
    loader: Loader
    environment: Path
    variables: Path = efivars.FOLDER

    def describe(self) -> str:
        """Return who is told."""
        match self.way:
            case OneShot.LOADER:
                return _("let systemd-boot start {entry} next, once (LoaderEntryOneShot)").format(entry=self.loader.entry.name)
            case OneShot.FIRMWARE:
                return _("let the firmware start {name} next, once (BootNext)").format(name=efi.name())
            case OneShot.IMAGE:
                return _("GRUB starts the restorer by itself as long as the image waits: there is nothing to set")
        return _("let GRUB start {id} next, once (next_entry in {environment})").format(
            id=self.id, environment=self.environment
        )

    @property
    def id(self) -> str:
        """The entry's name in GRUB."""
        return grub.ID if self.loader.kind is LoaderKind.GRUB else self.loader.entry.name.removesuffix(".conf")

    def apply(self, context: Context) -> None:
        """Tell it, once it is sure that it will be taken back.

        :raises CommandFailed: HIB-E-NEXT-BOOT, firmware or disk do not take it.
        """
        try:
            match self.way:
                case OneShot.LOADER:
                    place = efivars.place("LoaderEntryOneShot", LOADER_GUID, self.variables)
                    _set(context, place, f"{self.loader.entry.name}\0".encode("utf-16-le"))
                case OneShot.FIRMWARE:
                    _set(context, efivars.place("BootNext", FIRMWARE_GUID, self.variables), struct.pack("<H", efi.NUMBER))
                case OneShot.GRUBENV:
                    self._set_next_entry(context)
        except (OSError, ValueError) as error:
            raise CommandFailed(
                _("the next start cannot be made the restorer's: {reason}").format(reason=files.reason(error)),
                ident="HIB-E-NEXT-BOOT",
                hint=_("set `loader` to another one in the settings, see `khib check`"),
            ) from error

    def _set_next_entry(self, context: Context) -> None:
        before = fresh(self.environment)
        made = grubenv.changed(before, self.id)
        old = grubenv.value(before)

        def take_back() -> None:
            now = fresh(self.environment)
            # GRUB leaves it empty when it has obeyed.
            if grubenv.value(now) in (self.id, ""):
                files.overwrite(self.environment, grubenv.changed(now, old))

        _armed(context, take_back)
        files.overwrite(self.environment, made)


def fresh(path: Path) -> bytes:
    """Read a small file from its disk: what GRUB wrote while this system slept is not in this system's memory.

    :raises OSError: it cannot be read.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        return os.read(fd, grubenv.SIZE + 1)
    finally:
        os.close(fd)


def _set(context: Context, place: Path, value: bytes) -> None:
    old = efivars.read(place)

    def take_back() -> None:
        # Gone: it was obeyed, and what was there before has lost its meaning. Another value is somebody else's.
        if efivars.read(place) != value:
            return
        if old:
            efivars.write(place, old)
        else:
            efivars.remove(place)

    _armed(context, take_back)
    efivars.write(place, value)
    if efivars.read(place) != value:
        raise ValueError(_("the firmware does not keep {partition}").format(partition=place.name.partition("-")[0]))


def _armed(context: Context, take_back: Callable[[], None]) -> None:
    def told() -> None:
        try:
            take_back()
        except (OSError, ValueError) as error:
            text = _("the next start is still the restorer's: {reason}; choose this system in the boot menu").format(
                reason=files.reason(error)
            )
            context.sink(Message(text, Level.WARNING))

    context.armed.callback(told)
