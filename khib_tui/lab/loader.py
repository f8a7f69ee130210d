"""Boot loaders of the lab that starts from its own disk: each is installed by its own installer, once, in a guest."""

from __future__ import annotations

from pathlib import Path

from khib_tui.errors import CommandFailed, Refused
from khib_tui.events.types import Message, Sink, Stage, StageName, Status
from khib_tui.lab import disks
from khib_tui.lab.build.cache import cache_dir, digest_of, entry
from khib_tui.lab.build.kernel import GuestKernel
from khib_tui.lab.installed import installed_disk, installed_name
from khib_tui.lab.vm import Boot, Hardware, Vm, start

FIRMWARES = {"grub": ("bios", "uefi"), "systemd-boot": ("uefi",), "efi": ("uefi",)}
WORDS = "console=ttyS0,115200 no_timer_check panic=5 root=/dev/vda3 rw init=/usr/sbin/khib-install"
MEMORY = 1024
# Seconds of silence: an emulated machine on a busy host is slow.
PATIENCE = 900


def refuse_loader(loader: str, firmware: str) -> None:
    """Refuse what does not exist.

    :raises Refused: no such loader starts from this firmware, or Debian has none.
    """
    if loader == "grub-bls":
        raise Refused(
            "Debian's GRUB has no blscfg command, so it cannot read entries of the Boot Loader Specification",
            hint="choose --loader grub", ident="HIB-E-LAB-LOADER",
        )  # fmt: skip
    if firmware not in FIRMWARES[loader]:
        raise Refused(f"{loader} starts from UEFI only", hint="add --firmware uefi", ident="HIB-E-LAB-LOADER")


def bootable_disk(sink: Sink, kernel: GuestKernel, loader: str, firmware: str) -> Path:
    """Return a folder with `disk.img` and, of UEFI, `efivars.fd`, made first if the cache has none; never write to it.

    :raises Refused: there is no such combination.
    :raises CommandFailed: the loader's installer failed.
    """
    refuse_loader(loader, firmware)
    installed = installed_disk(sink, kernel)
    return entry(
        _entry_name(kernel, loader, firmware),
        lambda work: _install(sink, kernel, installed, work, loader, firmware),
        lambda: sink(Message("waiting for another khib that is installing a boot loader")),
    )


def is_bootable_built(kernel: GuestKernel, loader: str, firmware: str) -> bool:
    """Return whether the cache has that disk."""
    return (cache_dir() / _entry_name(kernel, loader, firmware)).is_dir()


def _entry_name(kernel: GuestKernel, loader: str, firmware: str) -> str:
    return f"bootable-{loader}-{firmware}-{digest_of(installed_name(kernel), WORDS)}"


def _install(sink: Sink, kernel: GuestKernel, installed: Path, work: Path, loader: str, firmware: str) -> None:
    sink(Stage(StageName.LAB_SYSTEM, Status.STARTED, f"installing {loader} for {firmware}, once, a minute or two"))
    disk = disks.copy(installed, work / "disk.img")
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
