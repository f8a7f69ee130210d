"""C's boot entry: written for this machine's boot loader, read back as that would, and taken away again."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from msgspec import Struct, structs

from khib_tui import files
from khib_tui.bootloader import keep
from khib_tui.bootloader.bls import BootEntry
from khib_tui.bootloader.entry import restore_entry
from khib_tui.decide import bootloader
from khib_tui.decide.choice import Choice
from khib_tui.errors import CommandFailed, Refused
from khib_tui.i18n import _
from khib_tui.image.ranges import first_sector
from khib_tui.linux import efivars
from khib_tui.model import target as targets
from khib_tui.model.boot import Loader, LoaderKind
from khib_tui.model.identity import TargetRef, find
from khib_tui.model.machine import Machine
from khib_tui.model.settings import Settings
from khib_tui.model.setupid import setup_id
from khib_tui.model.target import Kind
from khib_tui.plan.install import CopySaver, saver_kernel
from khib_tui.plan.step import Action, Context


class WriteBootEntry(Struct, frozen=True):
    """Write C's boot entry, with the exact memory words; if images are sealed, C takes no others."""

    choice: Choice

    def describe(self) -> str:
        """Return where the entry goes, and what memory it gives C."""
        loader, target = self.choice.loader, self.choice.target
        place = ""
        if target and target.whole:
            place = _(", and where the image's swap lies") if target.swap else _(", and where the image's file lies")
        return _("write boot entry {entry} for {kind}: {options}{place}").format(
            entry=loader.entry, kind=loader.kind, options=self.entry().options, place=place
        )

    def entry(self, place: TargetRef | None = None) -> BootEntry:
        """Make the entry.

        :param place: where a file or swap of A's own lies; without it C is not told.
        """
        choice = self.choice
        image = image_word(choice, place)
        kernel = saver_kernel(choice.settings)
        return restore_entry(
            choice.machine.cmdline, choice.settings, choice.loader.folder, choice.words, image, kernel, sealed=choice.sealed
        )

    def apply(self, context: Context) -> None:
        """Write it unless it is the same already.

        :raises CommandFailed: HIB-E-BOOTENTRY, the boot loader would read something else.
        """
        choice, loader, entry = self.choice, self.choice.loader, self.entry(context.place)
        old = read_file(loader)
        place = bootloader.grub_place(choice.machine, choice.target)
        first = first_sector(context.place.spans) if context.place else 0
        new = keep.content(loader, entry, old, setup_id=setup_id(), partition=place, first=first)
        refuse_misread(loader, new, entry)
        if new != old:
            write_file(loader, new)
            context.changed = True
            refuse_misread(loader, read_file(loader), entry)


def image_word(choice: Choice, place: TargetRef | None) -> str:
    """Return what C finds a file by; '' for a partition, which it finds by itself."""
    target, machine = choice.target, choice.machine
    if target and target.kind is Kind.FILE:
        return targets.word(target, machine)
    if place and place.remote:
        return place.remote.word
    if place is None or not place.spans:
        return ""
    return targets.place_word(find(machine.devices, place.key), place.spans[0][0])


def entries(choice: Choice) -> list[Action]:
    """Return the steps that write C's entry, and the firmware's beside it, where only that can be told what comes next."""
    beside = bootloader.firmware(choice.machine, choice.loader)
    if beside is None or beside == choice.loader:
        return [WriteBootEntry(choice)]
    copies = bootloader.placed(choice.settings, beside)
    second = [] if copies == choice.settings else [CopySaver(choice.settings, copies)]
    return [WriteBootEntry(choice), *second, WriteBootEntry(structs.replace(choice, settings=copies, loader=beside))]


class RemoveBootEntry(Struct, frozen=True):
    """Take C's boot entry away; whatever else is in its file stays as it is."""

    loader: Loader

    def describe(self) -> str:
        """Return what is taken away."""
        return _("take the boot entry out of {entry}").format(entry=self.loader.entry)

    def apply(self, context: Context) -> None:
        """Take it away if it is there."""
        old = read_file(self.loader)
        left = keep.without(self.loader, old)
        if left != old:
            write_file(self.loader, left)
            context.changed = True
        if self.loader.kind is LoaderKind.BLS:  # others have these folders of their own
            for folder in (self.loader.entry.parent, self.loader.entry.parent.parent):
                with suppress(OSError):
                    folder.rmdir()


def refuse_misread(loader: Loader, data: bytes, entry: BootEntry) -> None:
    """See that a boot loader would read an entry as it is meant.

    :raises CommandFailed: HIB-E-BOOTENTRY, it would not.
    """
    if not keep.says(keep.parse(loader, data), entry):
        raise CommandFailed(
            _("{kind} would not read {entry} as it was meant").format(kind=loader.kind, entry=loader.entry),
            ident="HIB-E-BOOTENTRY",
            hint=_("leave quotes and odd characters out of `options` in the settings, or set `loader` to another one"),
        )


def is_set_up(machine: Machine, settings: Settings) -> bool:
    """Return whether C's entry and initramfs are where this machine's boot loader looks for them."""
    try:
        loader = bootloader.choose(machine, settings)
    except Refused:
        return False
    return keep.parse(loader, read_file(loader)) is not None and bootloader.placed(settings, loader).initramfs.exists()


def read_file(loader: Loader) -> bytes:
    """Return the file, or variable, that has the entry; b'' if it is not there."""
    if loader.kind is LoaderKind.EFI:
        return efivars.read(loader.entry) or b""
    try:
        return loader.entry.read_bytes()
    except FileNotFoundError:
        return b""


def write_file(loader: Loader, data: bytes) -> None:
    """Write it whole and durably; b'' takes it away, and a folder that was made for it.

    :raises OSError: it cannot be written.
    """
    if loader.kind is LoaderKind.EFI and data:
        efivars.write(loader.entry, data)
    elif loader.kind is LoaderKind.EFI:
        efivars.remove(loader.entry)
    elif data:
        real = loader.entry.resolve()  # the user's custom.cfg may be a link
        files.write(real, data, _mode(real))
    else:
        files.remove(loader.entry)


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777 if path.exists() else files.PUBLIC
