"""Which boot loader starts C, and where it looks for its entry, its kernel and its initramfs. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from khib_tui.errors import Refused
from khib_tui.events.types import Finding, Severity
from khib_tui.i18n import _
from khib_tui.model import target as targets
from khib_tui.model.boot import ONE_SHOT, BootFacts, Folder, Loader, LoaderKind, Partition
from khib_tui.model.machine import BlockDevice, Machine
from khib_tui.model.settings import Settings
from khib_tui.model.target import Kind, Target
from khib_tui.model.units import MIB

IDENT = "HIB-E-LOADER"
NAME = "khib-restore.conf"
# GRUB sorts files of the specification by name, the largest first, and may take the first one by default. Before `~` nothing
# comes, neither in the order of versions of GRUB 2.14 (filevercmp) nor in Fedora's (rpm), where digits are above letters.
GRUB_NAME = f"~{NAME}"
EFI_ENTRY = Path("/sys/firmware/efi/efivars/Boot4B48-8be4df61-93ca-11d2-aa0d-00e098032b8c")
# Kernel and initramfs of C with all that its target may need, and their new versions before the old ones go.
ESP_ROOM = 128 * MIB
_SECTOR = 512
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SYSTEMD = "systemd-boot"


def choose(machine: Machine, settings: Settings) -> Loader:
    """Take the loader that the settings name, or the first that this machine is sure to have.

    :raises Refused: HIB-E-LOADER, this machine does not have the one that is named.
    """
    if settings.loader is not LoaderKind.AUTO:
        found = _MAKERS[settings.loader](machine, settings)
        if found is None:
            raise Refused(
                _("this machine does not boot by {loader}, or its folders are not mounted").format(loader=settings.loader),
                hint=_("mount the boot partitions, or set `loader` to auto"), ident=IDENT,
            )  # fmt: skip
        return found
    return offered(machine, settings)[0]


def offered(machine: Machine, settings: Settings) -> list[Loader]:
    """Return the loaders that this machine seems to have, the most likely first; there is always one."""
    free = replace(settings, loader=LoaderKind.AUTO)
    return [found for make in _MAKERS.values() if (found := make(machine, free))]


def firmware(machine: Machine, loader: Loader) -> Loader | None:
    """Return the firmware's own entry of C, which BootNext can name; None where that is not to be had, or not needed.

    A boot loader that promises to start an entry once needs none beside it; all others cannot be told from Linux for sure.
    """
    if loader.kind is LoaderKind.EFI:
        return loader
    if loader.kind is LoaderKind.BLS or one_shot(machine, loader) or machine.boot.esp_free < ESP_ROOM:
        return None
    return _efi(machine, Settings(loader=LoaderKind.EFI))


def one_shot(machine: Machine, loader: Loader) -> bool:
    """Return whether the boot loader itself starts an entry once if it is told so by LoaderEntryOneShot."""
    facts = machine.boot
    return loader.kind is LoaderKind.SYSTEMD_BOOT and facts.efivars and bool(facts.features & ONE_SHOT)


def possible(machine: Machine, settings: Settings) -> list[Loader]:
    """Return every loader that a set-up of this machine may have written for, whatever it would choose now; each entry once."""
    found = [make(machine, replace(settings, loader=kind)) for kind, make in _MAKERS.items()]
    found += [_bls(machine, Settings()), Loader(LoaderKind.EFI, EFI_ENTRY, Folder(settings.boot_dir))]
    by_entry: dict[Path, Loader] = {}
    for loader in filter(None, found):
        by_entry.setdefault(loader.entry, loader)
    return list(by_entry.values())


def finding(machine: Machine, settings: Settings) -> Finding:
    """Tell which loader it is, and what set-up writes for it."""
    try:
        loader = choose(machine, settings)
    except Refused as error:
        return Finding(IDENT, Severity.BLOCKER, error.message, _("nothing would boot the restorer"), error.hint or "")
    if loader.kind is LoaderKind.BLS and settings.loader is LoaderKind.AUTO:
        return _unknown(machine, loader)
    beside = firmware(machine, loader)
    other = _(", and the firmware itself by {entry}").format(entry=beside.entry.name[:8]) if beside and beside != loader else ""
    return Finding(
        IDENT,
        Severity.OK,
        _("{kind} boots the restorer, by {entry}{other}").format(kind=loader.kind, entry=loader.entry, other=other),
    )


def _unknown(machine: Machine, loader: Loader) -> Finding:
    why = _("{entry} is written; whether something reads it is not known").format(entry=loader.entry)
    if machine.boot.loader.startswith(_SYSTEMD):
        return Finding(
            IDENT,
            Severity.WARNING,
            _("the partition of systemd-boot is not mounted"),
            why,
            _("mount it, at /efi or /boot as a rule"),
        )
    fix = _("see that the boot menu has khib's entry, before you rely on it")
    return Finding(IDENT, Severity.WARNING, _("no boot loader was found that khib knows"), why, fix)


def _other_ran(machine: Machine, settings: Settings) -> bool:
    """Return whether another boot loader than GRUB says that it started this system: a grub.cfg may be there, and old."""
    name = machine.boot.loader
    return settings.loader is LoaderKind.AUTO and bool(name) and not name.startswith("GRUB")


def _systemd_boot(machine: Machine, settings: Settings) -> Loader | None:
    facts = machine.boot
    folder = facts.xbootldr or facts.esp
    named = settings.loader is LoaderKind.SYSTEMD_BOOT
    if folder is None or not (named or facts.loader.startswith(_SYSTEMD)):
        return None
    return Loader(LoaderKind.SYSTEMD_BOOT, Path(folder.path, "loader/entries", NAME), folder)


def _grub(machine: Machine, settings: Settings) -> Loader | None:
    grub, folder = machine.boot.grub, _boot_folder(machine.boot, settings)
    if grub is None or not machine.boot.grub_custom or not folder.uuid or _other_ran(machine, settings):
        return None
    return Loader(LoaderKind.GRUB, Path(grub.path, "custom.cfg"), folder)


def _grub_bls(machine: Machine, settings: Settings) -> Loader | None:
    folder = _boot_folder(machine.boot, settings)
    if machine.boot.grub is None or not machine.boot.grub_bls or not folder.uuid or _other_ran(machine, settings):
        return None
    return Loader(LoaderKind.GRUB_BLS, Path(folder.path, "loader/entries", GRUB_NAME), folder)


def _efi(machine: Machine, settings: Settings) -> Loader | None:
    esp = machine.boot.esp
    unmounted = settings.loader is LoaderKind.AUTO and machine.boot.loader.startswith(_SYSTEMD)
    place = _partition(machine, esp) if esp and machine.uefi and machine.boot.efivars and not unmounted else None
    return Loader(LoaderKind.EFI, EFI_ENTRY, esp, place) if esp and place else None


def _bls(machine: Machine, settings: Settings) -> Loader:
    folder = settings.boot_dir
    return Loader(LoaderKind.BLS, Path(folder, "loader/entries", NAME), Folder(folder))


def _boot_folder(facts: BootFacts, settings: Settings) -> Folder:
    """Return the folder of kernels as GRUB finds it; one that the user chose is only known if it is one of ours."""
    known = [folder for folder in (facts.boot, facts.esp, facts.xbootldr) if folder and folder.path == settings.boot_dir]
    return known[0] if known else Folder(settings.boot_dir)


def _partition(machine: Machine, folder: Folder) -> Partition | None:
    device = machine.device(folder.device)
    number = partition_number(device) if device else 0
    if device is None or not number or not _GUID.fullmatch(device.partuuid):
        return None
    return Partition(number, device.start // _SECTOR, device.size // _SECTOR, device.partuuid)


def partition_number(device: BlockDevice) -> int:
    """Return the number of a partition, as the kernel spells it behind the disk's name; 0 if it is none."""
    found = re.fullmatch(rf"{re.escape(device.disk)}p?(\d+)", device.name) if device.kind == "partition" else None
    return int(found[1]) if found else 0


def grub_place(machine: Machine, target: Target | None) -> str:
    """Return the image's partition as GRUB spells it, such as `gpt2`; '' where GRUB cannot look at it so.

    :param target: where the image lies; a file that is to be mounted GRUB cannot look at.
    """
    device = targets.under(machine.devices, target) if target and target.kind is not Kind.FILE else None
    disk = machine.device(device.disk) if device else None
    kind = {"gpt": "gpt", "dos": "msdos"}.get(disk.table if disk else "", "")
    return f"{kind}{partition_number(device)}" if device and kind and partition_number(device) else ""


_MAKERS: dict[LoaderKind, Callable[[Machine, Settings], Loader | None]] = {
    LoaderKind.SYSTEMD_BOOT: _systemd_boot, LoaderKind.GRUB: _grub, LoaderKind.GRUB_BLS: _grub_bls, LoaderKind.EFI: _efi,
    LoaderKind.BLS: _bls,
}  # fmt: skip


def placed(settings: Settings, loader: Loader) -> Settings:
    """Return the choices with the folder that the loader finds kernels in."""
    return settings if settings.boot_dir == loader.folder.path else replace(settings, boot_dir=loader.folder.path)
