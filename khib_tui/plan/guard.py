"""Installing and removing the guard of normal starts: its files, and this system's own initramfs, which is made anew."""

from __future__ import annotations

import hashlib
from pathlib import Path

from msgspec import Struct

from khib_tui import files, runner
from khib_tui.decide import bootloader
from khib_tui.decide.choice import Choice
from khib_tui.decide.guard import guarded_partition
from khib_tui.errors import CommandFailed
from khib_tui.events.types import Level, Message
from khib_tui.guard.files import BEFORE_SWAP, FOLDERS, NEXT, PACKED, GuardFile, all_paths, guard_files, settings
from khib_tui.guard.nextboot import next_boot
from khib_tui.i18n import _
from khib_tui.image.ranges import first_sector
from khib_tui.model.machine import InitramfsMaker, Machine
from khib_tui.model.setupid import setup_id
from khib_tui.plan import remade
from khib_tui.plan.room import Wanted
from khib_tui.plan.step import Context

ROOT = Path("/")
MAKE = {"initramfs-tools": ["update-initramfs", "-u", "-k", "all"], "dracut": ["dracut", "--force", "--regenerate-all"]}
_LIMIT = 64 << 10


def steps(choice: Choice) -> list[InstallGuard] | list[RemoveGuard]:
    """Return the step of the set-up: a guard for the target, or none any more where it cannot be guarded."""
    machine, partuuid = choice.machine, guarded_partition(choice.machine, choice.target)
    if not partuuid:
        return remove(machine)
    if not machine.initramfs_maker and not machine.systemd:
        return []
    # The guard sets what a hibernation sets: BootNext where the firmware has an entry of C beside the loader's.
    told, countdown = bootloader.firmware(machine, choice.loader) or choice.loader, choice.settings.countdown
    lent = bool(choice.target and choice.target.swap)
    maker, copied = machine.initramfs_maker, remade.copies(machine)
    return [InstallGuard(maker, machine.systemd, partuuid, countdown, next_boot(told), copied=copied, lent=lent)]


def remove(machine: Machine) -> list[RemoveGuard]:
    """Return the step that takes the guard away, if there is one."""
    return [RemoveGuard(machine.initramfs_maker)] if machine.guarded else []


class InstallGuard(Struct, frozen=True):
    """Write the guard's files, and make this system's initramfs anew if it has not got them as they are now.

    :param partuuid: of the partition that takes the images.
    :param countdown: seconds until the guard resumes.
    :param next_boot: shell commands that make the next start C's, '' where the boot loader knows by itself.
    :param copied: the initramfs is copied before it is made anew.
    :param lent: images lie in a swap of this system's, which it must not use before.
    """

    maker: InitramfsMaker
    systemd: bool
    partuuid: str
    countdown: int
    next_boot: str
    root: Path = ROOT
    copied: bool = False
    lent: bool = False

    def describe(self) -> str:
        """Return what will be guarded, and how."""
        means = [
            *([_("this system's initramfs ({maker})").format(maker=self.maker)] if self.maker else []),
            *(["systemd"] if self.systemd else []),
        ]
        return _("guard normal starts of this system while an image waits on {partuuid}: in {makers}").format(
            partuuid=self.partuuid, makers=_(" and ").join(means)
        )

    def apply(self, context: Context) -> None:
        """Write what differs; where the initramfs cannot be made, that is told, and the next set-up tries it again."""
        wanted = self._files(context)
        if not self.lent:
            context.changed |= files.remove(self.root / BEFORE_SWAP)
            drop_empty(self.root)
        if not self.next_boot:
            context.changed |= files.remove(self.root / NEXT)
        for item in wanted:
            context.changed |= write_if_new(self.root / item.path, item)
        if self._packed(wanted):
            return
        if make_initramfs(self.maker, context):
            files.write(self.root / PACKED, _digest(wanted), files.PUBLIC)

    def room(self, context: Context) -> Wanted:
        """Return what is written where this system's initramfs is made anew, [] if it has the guard already."""
        return [] if self._packed(self._files(context)) else remade.wanted(self.maker, self.root / "boot", copied=self.copied)

    def _files(self, context: Context) -> list[GuardFile]:
        first = first_sector(context.place.spans) if context.place else 0
        conf = settings(self.partuuid, setup_id(self.root), self.countdown, first, lent=self.lent)
        return guard_files(self.maker, self.systemd, conf, self.next_boot, lent=self.lent)

    def _packed(self, wanted: list[GuardFile]) -> bool:
        """Return whether no initramfs has to be made anew."""
        return not self.maker or content(self.root / PACKED) == _digest(wanted)


class RemoveGuard(Struct, frozen=True):
    """Take the guard's files away, and make this system's initramfs anew if it had them."""

    maker: InitramfsMaker
    root: Path = ROOT

    def describe(self) -> str:
        """Return what becomes of it."""
        return _("remove the guard of normal starts") + (
            _(", also from this system's initramfs ({maker})").format(maker=self.maker) if self.maker else ""
        )

    def apply(self, context: Context) -> None:
        """Remove what is there."""
        gone = [path for path in all_paths() if files.remove(self.root / path)]
        drop_empty(self.root)
        context.changed |= bool(gone)
        if gone and self.maker:
            make_initramfs(self.maker, context)


def make_initramfs(maker: InitramfsMaker, context: Context) -> bool:
    """Make this system's initramfs anew; return whether that worked."""
    context.sink(Message(_("making this system's initramfs anew with {maker}, which can take minutes").format(maker=maker)))
    context.changed = True
    command = " ".join(MAKE[maker])
    try:
        done = runner.run(MAKE[maker], check=False)
        lines = (done.stderr or done.stdout).strip().splitlines()
        why = (
            _("`{command}` ended with code {returncode}: {line}").format(
                command=command, returncode=done.returncode, line=lines[-1] if lines else ""
            )
            if done.returncode
            else ""
        )
    except CommandFailed as error:
        why = error.message
    if why:
        known = _("whether the guard is in this system's initramfs is not known")
        context.sink(
            Message(
                _("{why}; {known}: see what is wrong, then run `{command}`").format(why=why, known=known, command=command),
                Level.WARNING,
            )
        )
    return not why


def drop_empty(root: Path) -> None:
    """Remove those folders that were made for the guard and have nothing in them."""
    for folder in FOLDERS:
        there = root / folder
        if there.is_dir() and not any(there.iterdir()):
            there.rmdir()


def write_if_new(path: Path, item: GuardFile) -> bool:
    """Write a file unless it is there as it should be; return whether it was written."""
    if content(path) == item.text.encode() and path.stat().st_mode & 0o777 == item.mode:
        return False
    files.write(path, item.text.encode(), item.mode)
    return True


def content(path: Path) -> bytes:
    """Read a file of the guard; b'' where it is not."""
    try:
        return files.read(path, _LIMIT)
    except OSError:
        return b""


def _digest(wanted: list[GuardFile]) -> bytes:
    packed = "\0".join(f"{item.path}\0{item.text}" for item in wanted if item.packed)
    return hashlib.sha256(packed.encode()).hexdigest().encode() + b"\n"
