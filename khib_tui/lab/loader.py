"""Boot loaders of the lab that starts from its own disk: each is installed by its own installer, once, in a guest."""

from __future__ import annotations

import shutil
from argparse import Namespace
from pathlib import Path
from typing import NamedTuple

from khib_tui.errors import CommandFailed, Refused
from khib_tui.events.types import Message, Sink, Stage, StageName, Status
from khib_tui.files import cache_dir
from khib_tui.lab import disks
from khib_tui.lab.build.bootable import INSTALL
from khib_tui.lab.build.cache import digest_of, entry
from khib_tui.lab.build.kernel import GuestKernel
from khib_tui.lab.build.stock import newer_grub
from khib_tui.lab.build.system import File, write_files
from khib_tui.lab.hardware import Boot, Hardware
from khib_tui.lab.installed import ESP, ROOT, SYSTEMS, System, installed_disk, installed_name
from khib_tui.lab.vm import Vm, start
from khib_tui.runner import run

FIRMWARES = {"grub": ("bios", "uefi"), "systemd-boot": ("uefi",), "efi": ("uefi",)}
WORDS = "console=ttyS0,115200 no_timer_check panic=5 root=/dev/vda3 rw init=/usr/sbin/khib-install"
MEMORY = 1024
LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"  # the type of a GPT partition
# Seconds of silence: an emulated machine on a busy host is slow.
PATIENCE = 900


class Kind(NamedTuple):
    """Which boot loader on which firmware.

    :param own_boot: /boot has a partition of its own, in place of the EFI system partition, which BIOS does not look at.
    :param grub: the suite that a newer GRUB comes from, one of `stock.SUITES`; '' for the system's own.
    :param init: what is installed: a name of `installed.SYSTEMS`.
    """

    loader: str
    firmware: str
    own_boot: bool = False
    grub: str = ""
    init: str = "agent"

    @classmethod
    def of(cls, arguments: Namespace) -> Kind:
        """Read what was typed."""
        given = vars(arguments)
        own, newer, init = given.get("boot_partition") == "own", given.get("grub") or "", given.get("init", "agent")
        return cls(arguments.loader, arguments.firmware, own, newer, init)

    @property
    def system(self) -> System:
        """What is installed on the disk."""
        return SYSTEMS[self.init]

    @property
    def name(self) -> str:
        """A name for it."""
        more = [*(["own-boot"] if self.own_boot else []), *([self.grub] if self.grub else [])]
        return "-".join([self.loader, self.firmware, *more])

    def grub_file(self, name: str) -> tuple[int, str]:
        """Return the partition, from zero, that a file of GRUB's folder lies on, and its path there."""
        return (ESP, f"/grub/{name}") if self.own_boot else (ROOT, f"/boot/grub/{name}")


def refuse_loader(kind: Kind) -> None:
    """Refuse what does not exist.

    :raises Refused: no such loader starts from this firmware, or Debian has none.
    """
    loader, firmware = kind.loader, kind.firmware
    if loader == "grub-bls":
        raise Refused(
            "Debian's GRUB has no blscfg command, so it cannot read entries of the Boot Loader Specification",
            hint="choose --loader grub", ident="HIB-E-LAB-LOADER",
        )  # fmt: skip
    if firmware not in FIRMWARES[loader]:
        raise Refused(f"{loader} starts from UEFI only", hint="add --firmware uefi", ident="HIB-E-LAB-LOADER")
    if kind.own_boot and (loader, firmware) != ("grub", "bios"):
        raise Refused(
            "a partition of /boot's own is there for GRUB on BIOS only", hint="add --loader grub --firmware bios",
            ident="HIB-E-LAB-LOADER",
        )  # fmt: skip
    if kind.grub and (loader, firmware) != ("grub", "uefi"):
        raise Refused("a newer GRUB is there for UEFI only", hint="add --loader grub --firmware uefi", ident="HIB-E-LAB-LOADER")


def bootable_disk(sink: Sink, kernel: GuestKernel, kind: Kind) -> Path:
    """Return a folder with `disk.img` and, of UEFI, `efivars.fd`, made first if the cache has none; never write to it.

    :raises Refused: there is no such combination.
    :raises CommandFailed: the loader's installer failed.
    """
    refuse_loader(kind)
    installed = installed_disk(sink, kernel, kind.system)
    return entry(
        _entry_name(kernel, kind),
        lambda work: _install(sink, kernel, installed, work, kind),
        lambda: sink(Message("waiting for another khib that is installing a boot loader")),
    )


def is_bootable_built(kernel: GuestKernel, kind: Kind) -> bool:
    """Return whether the cache has that disk."""
    return (cache_dir() / _entry_name(kernel, kind)).is_dir()


def _entry_name(kernel: GuestKernel, kind: Kind) -> str:
    return f"bootable-{kind.name}-{digest_of(installed_name(kernel, kind.system), WORDS, INSTALL)}"


def _put_installer(disk: Path, work: Path, sink: Sink, kind: Kind) -> None:
    """Put what the installing run needs into the root, and give its partition for /boot a name."""
    tree = work / "installer"
    write_files(tree, {"usr/sbin/khib-install": File(0o755, INSTALL)})
    disks.put_on_root(disk, tree / "usr/sbin", "/usr/sbin", ROOT, merge=True)
    shutil.rmtree(tree)
    if kind.grub:
        disks.put_on_root(disk, newer_grub(sink, kind.grub), "/usr/lib/newer-grub", ROOT)
    if kind.own_boot:
        run(["sfdisk", "--quiet", "--part-label", disk, str(ESP + 1), "boot"])
        run(["sfdisk", "--quiet", "--part-type", disk, str(ESP + 1), LINUX])


def _install(sink: Sink, kernel: GuestKernel, installed: Path, work: Path, kind: Kind) -> None:
    loader, firmware = kind.loader, kind.firmware
    sink(Stage(StageName.LAB_SYSTEM, Status.STARTED, f"installing {loader} for {firmware}, once, a minute or two"))
    disk = disks.copy(installed, work / "disk.img")
    _put_installer(disk, work, sink, kind)
    log = cache_dir() / "loader.log"
    log.unlink(missing_ok=True)
    vm = start(Hardware(MEMORY, 2, firmware, (disk,), work), Boot(kernel.bzimage, f"{WORDS} khib.loader={loader}"), log)
    try:
        code = _result(vm)
        vm.wait()
    finally:
        vm.kill()
    for name in ("line.sock", "console.sock", "qemu.log"):
        (work / name).unlink(missing_ok=True)
    if code != "0":
        sink(Stage(StageName.LAB_SYSTEM, Status.FAILED, f"{loader} was not installed"))
        raise CommandFailed(f"{loader} was not installed", hint=f"the whole output is in {log}", ident="HIB-E-BUILD")
    sink(Stage(StageName.LAB_SYSTEM, Status.DONE, loader, seconds=vm.seconds))


def _result(vm: Vm) -> str:
    """Return the exit code of the installer; empty if the machine ended before."""
    for line in vm.lines(PATIENCE):
        _, found, code = line.partition(b"installed ")
        if found:
            return code.decode().strip()
    return ""
