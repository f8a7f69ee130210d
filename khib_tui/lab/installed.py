"""The one disk of a lab that starts by itself: a Debian as an installer leaves it, before its boot loader is installed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from khib_tui.errors import CommandFailed
from khib_tui.events.types import Message, Sink, Stage, StageName, Status
from khib_tui.lab.build import desktop, root
from khib_tui.lab.build.apt import host_suite
from khib_tui.lab.build.bootable import ESP_ID, FILES, ROOT_UUID
from khib_tui.lab.build.cache import digest_of, entry
from khib_tui.lab.build.kernel import GuestKernel
from khib_tui.lab.build.system import File
from khib_tui.lab.disks import Partition, partitions, swap_space
from khib_tui.model.units import GIB, KIB
from khib_tui.runner import run

PACKAGES = (
    *root.PACKAGES, "udev", "initramfs-tools", "zstd", "busybox-static", "dosfstools", "efibootmgr", "grub-common",
    "grub2-common", "grub-pc-bin", "grub-efi-amd64-bin", "systemd-boot",
)  # fmt: skip
DISK_SIZE = 16 * GIB  # sparse, and a power of two as memory cards must be
BIOS, ESP, ROOT, SWAP, IMAGE = range(5)
SIZES = {"bios": 1, "esp": 320, "root": 1792, "swap": 64}  # MiB
TYPES = ("21686148-6449-6E6F-744E-656564454649", "uefi", "linux", "swap", "linux")


@dataclass(frozen=True)
class System:
    """What is installed.

    :param packages: of the distribution.
    :param files: of ours, by their name below the root.
    """

    packages: tuple[str, ...]
    files: Mapping[str, File]


SYSTEMS = {"agent": System(PACKAGES, FILES), "systemd": System((*PACKAGES, *desktop.PACKAGES), desktop.FILES)}


def installed_disk(sink: Sink, kernel: GuestKernel, system: System) -> Path:
    """Return the raw image of the disk, building it first if it is not in the cache; never write to it.

    :raises CommandFailed: it cannot be built; nothing of it is left then.
    """
    suite = host_suite()
    made = entry(
        installed_name(kernel, system),
        lambda work: _build(sink, suite, work, kernel, system),
        lambda: sink(Message("waiting for another khib that is building the system")),
    )
    return made / "disk.img"


def installed_name(kernel: GuestKernel, system: System) -> str:
    """Return the name of the disk in the cache, with all that it depends on."""
    own = (*system.packages, *root.STRIPPED, partition_table(), repr(system.files))
    parts = (host_suite(), *own, kernel.bzimage.parent.name)
    return f"installed-{digest_of(*parts)}"


def partition_table() -> str:
    """Return the sfdisk script of the disk, without the partition of the image."""
    lines = [f"size={size}MiB, type={kind}, name={name}" for (name, size), kind in zip(SIZES.items(), TYPES, strict=False)]
    return "label: gpt\n" + "\n".join(lines) + "\n"


def _build(sink: Sink, suite: str, work: Path, kernel: GuestKernel, system: System) -> None:
    started = time.monotonic()
    sudo = root.root_prefix()
    sink(Stage(StageName.LAB_SYSTEM, Status.STARTED, f"installing a {suite} that boots itself, once, some minutes"))
    tree = work / "tree"
    try:
        root.install(sink, sudo, suite, tree, system.packages)
        root.finish(sudo, tree, system.files)
        _put_kernel(sudo, tree, kernel)
        _pack(sudo, tree, work / "disk.img")
    except CommandFailed as error:
        sink(Stage(StageName.LAB_SYSTEM, Status.FAILED, error.message))
        raise
    finally:
        run([*sudo, "rm", "-rf", "--one-file-system", tree])
    sink(Stage(StageName.LAB_SYSTEM, Status.DONE, suite, time.monotonic() - started))


def _put_kernel(sudo: Sequence[str], tree: Path, kernel: GuestKernel) -> None:
    """Install the kernel as its package would, with an initramfs by the distribution's own tool."""
    boot, release = tree / "boot", kernel.release
    run([*sudo, "install", "-D", "--mode=644", kernel.bzimage, boot / f"vmlinuz-{release}"])
    run([*sudo, "install", "-D", "--mode=644", kernel.config, boot / f"config-{release}"])
    run([*sudo, "mkdir", "-p", tree / "usr/lib/modules"])
    run([*sudo, "cp", "--recursive", kernel.modules, tree / "usr/lib/modules"])
    run([*sudo, "chroot", tree, "depmod", release])
    run([*sudo, "chroot", tree, "update-initramfs", "-c", "-k", release])


def _pack(sudo: Sequence[str], tree: Path, image: Path) -> None:
    with open(image, "wb") as handle:
        handle.truncate(DISK_SIZE)
    run(["sfdisk", "--quiet", image], input=partition_table())
    parts = partitions(image)
    esp, own = parts[ESP], parts[ROOT]
    # else it takes the whole file's size for its cluster size, and OVMF finds that wrong
    run(["mkfs.vfat", "-F", "32", "-s", "1", "-i", ESP_ID, "--offset", str(esp.start // 512), image, str(esp.size // KIB)])
    # nothing is left to the kernel's lazy initialisation, which would write to an idle disk
    options = f"offset={own.start},root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0"
    run([
        *sudo, "mke2fs", "-q", "-F", "-t", "ext4", "-U", ROOT_UUID, "-m", "0", "-E", options, "-d", tree, image,
        f"{own.size // KIB}k",
    ])  # fmt: skip
    swap_space(image, parts[SWAP])


def add_image_partition(disk: Path, mib: int) -> Partition:
    """Add the partition of the image behind the others; gives where it lies."""
    run(["sfdisk", "--quiet", "--append", disk], input=f"size={mib}MiB, type={TYPES[IMAGE]}, name=khib-image\n")
    return partitions(disk)[IMAGE]
