"""Putting the lab together: kernel, root, initramfs and disks, ready to be switched on."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from khib_tui import files
from khib_tui.bootloader.bls import BootEntry
from khib_tui.decide import region
from khib_tui.events.types import Message, Sink, Stage, StageName, Status
from khib_tui.facts import kconfig
from khib_tui.files import cache_dir
from khib_tui.formats import bzimage
from khib_tui.initramfs import build, installed
from khib_tui.initramfs.modules import WISHED
from khib_tui.initramfs.packing import Compression
from khib_tui.lab import disks
from khib_tui.lab.board import Board
from khib_tui.lab.build.cache import digest_of, locked
from khib_tui.lab.build.kernel import GuestKernel, guest_kernel, is_kernel_built
from khib_tui.lab.build.program import program_disk
from khib_tui.lab.build.root import guest_root, is_root_built
from khib_tui.lab.build.stock import stock_kernel
from khib_tui.lab.disks import Partition
from khib_tui.lab.hardware import Boot, Hardware
from khib_tui.lab.scratch import refuse_little_room, scratch, scratch_dir
from khib_tui.model import settings
from khib_tui.model.boot import LoaderKind
from khib_tui.model.units import GIB, MIB

TARGET = "/dev/vdb1"
SPARE = "/dev/vdb2"
SWAP = "/dev/vdb3"
SMALL = "/dev/vdb4"
CONSOLE = "console=tty0 console=ttyS0,115200"
# at most; measured: 1.9 GiB (6.12 with its modules), about 450 MiB, 280 MiB. What a build leaves in the cache is much less.
KERNEL_ROOM = 5 * GIB // 2
ROOT_ROOM = 512 * MIB
DISKS_ROOM = 512 * MIB  # besides an image of all memory
# modules of the virtio machine, which has no sysfs here to be asked
MACHINES_OWN = (*WISHED, "virtio_blk")
# Emulated on a busy host, the timer may seem broken for the time the kernel looks at it, and it would panic.
PATIENCE = "no_timer_check"
# the lab is its own boot loader
DEMO_SETTINGS = settings.Settings(
    target=TARGET, countdown=0, events="/dev/ttyS1", plain=True, options=PATIENCE, loader=LoaderKind.BLS
)


@dataclass(frozen=True)
class Lab:
    """A machine that can be switched on: as A by `boot_a`, as C by what A's boot entry says.

    :param saver: the kernel of B and C, if it is not A's own.
    """

    hardware: Hardware
    kernel: GuestKernel
    directory: Path
    saver: GuestKernel | None = field(default=None, kw_only=True)

    @property
    def disk_a(self) -> Path:
        """A's disk: boot partition and root."""
        return self.hardware.disks[0]

    @property
    def disk_target(self) -> Path:
        """The disk the image goes to."""
        return self.hardware.disks[1]

    def watched(self, target_partition: int = 0) -> list[tuple[Path, list[Partition]]]:
        """Return A's disks, each with what of it may change while A sleeps: the image's partition."""
        first, target, *more = self.hardware.disks
        image = disks.partitions(target)[target_partition]
        return [(first, []), (target, [image]), *((path, []) for path in more)]

    @property
    def boots_itself(self) -> bool:
        """Whether firmware and boot loader on the disk choose what starts; else `boot_a` and `boot_c` do."""
        return False

    def fsck(self) -> tuple[bool, str]:
        """Check A's root filesystem without changing it; gives whether it is clean, and what fsck says."""
        return disks.fsck(self.disk_a)

    @property
    def shadow(self) -> int:
        """Bytes of A's memory that loading the saver takes, rounded up."""
        init_size = bzimage.read((self.saver or self.kernel).bzimage).init_size
        return region.proposed(init_size, self.hardware.cpus) + region.ALIGN + region.SLACK

    def boot_a(self, words: str) -> Boot:
        """Boot kernel A from its root; KASLR stays on."""
        return Boot(self.kernel.bzimage, f"{CONSOLE} {PATIENCE} root=/dev/vda2 rw init=/sbin/khib-init panic=5 {words}")

    def boot_c(self, change: dict[str, str] | None = None, memmap: str | None = None) -> Boot:
        """Be the boot loader: read A's boot entry, kernel and initramfs from its boot partition.

        :param change: text to replace in the options, for tests of refusals.
        :param memmap: what stands in place of all memmap= words; empty for nothing.
        """
        name = "loader/entries/khib-restore.conf"
        entry = BootEntry.parse(disks.take_from_boot(self.disk_a, name, self.directory / "entry.conf").read_text())
        kernel = disks.take_from_boot(self.disk_a, entry.linux, self.directory / "c-vmlinuz")
        initrd = self.directory / "c-initramfs"
        initrd.write_bytes(b"".join(map(self._padded, entry.initrds)))
        options = entry.options
        for old, new in (change or {}).items():
            options = options.replace(old, new)
        if memmap is not None:
            options = " ".join([memmap, *(word for word in options.split() if not word.startswith("memmap="))])
        return Boot(kernel, options.strip(), initrd)

    def _padded(self, name: str) -> bytes:
        """Read an initramfs of A's boot partition; as boot loaders do, the next one begins at a multiple of four bytes."""
        data = disks.take_from_boot(self.disk_a, name, self.directory / "c-part").read_bytes()
        return data + bytes(-len(data) % 4)


def say_room(arguments: Namespace, sink: Sink) -> None:
    """Say how much room the lab needs at most, for what has to be built first and for the machine's disks.

    :raises Refused: that much is not free.
    """
    kernel, root = is_kernel_built(arguments.linux_source), is_root_built()
    tell_room(arguments, sink, 0 if kernel and root else ROOT_ROOM if kernel else KERNEL_ROOM)


def tell_room(arguments: Namespace, sink: Sink, building: int) -> None:
    """Say how much room is needed.

    :param building: bytes for what has to be built first.
    :raises Refused: that much is not free.
    """
    if building:
        sink(Message(refuse_little_room("building the guest's kernel and system", building, cache_dir())))
    needed = DISKS_ROOM + arguments.memory * MIB
    sink(Message(refuse_little_room("the machine's disks", needed, arguments.keep or scratch_dir())))


@contextmanager
def workspace(keep: Path | None) -> Iterator[Path]:
    """Return a directory for disks and logs, which is removed at the end unless it is to be kept."""
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with scratch() as directory:
        yield directory


def saver_initramfs(
    sink: Sink, kernel: GuestKernel | None = None, names: Sequence[str] = MACHINES_OWN, screen: Sequence[str] = (),
    keymap: bytes = b"",
) -> Path:  # fmt: skip
    """Build the initramfs of B and C, or take it from the cache.

    :param kernel: one that has its drivers as modules; the lab's own has them built in.
    :param names: the modules that the lab's machine needs then.
    :param screen: those that B draws with.
    :param keymap: of A's console.
    """
    arguments: dict[str, Any] = {"keymap": keymap}
    if kernel:
        arguments |= {"modules_release": kernel.release, "names": names, "modules_root": kernel.modules.parents[2]}
        arguments["screen"] = screen
        arguments["compression"] = Compression.best(kconfig.parse(kernel.config.read_text()))
    path = cache_dir() / f"initramfs-{digest_of(build.inputs_digest(**arguments))}.img"
    with locked(path.name):
        if not path.exists():
            files.write(path, build.build(sink, **arguments))
    return path


def saver_of(arguments: Namespace, sink: Sink) -> GuestKernel | None:
    """Return the distribution's kernel that was asked for as B and C, None for A's own."""
    name, network = vars(arguments).get("saver"), bool(vars(arguments).get("network"))
    return stock_kernel(sink, name, network=network) if name else None


def kernel_files(kernel: GuestKernel) -> dict[str, Path]:
    """Return what of a kernel belongs into /boot, by its name there."""
    return {f"vmlinuz-{kernel.release}": kernel.bzimage, f"config-{kernel.release}": kernel.config}


def chosen(base: settings.Settings, saver: GuestKernel | None) -> settings.Settings:
    """Return A's choices, with the kernel of B and C that it is to take."""
    return msgspec.structs.replace(base, kernel=f"/boot/vmlinuz-{saver.release}") if saver else base


def prepare(
    arguments: Namespace, directory: Path, sink: Sink, *, image_mib: int | None = None, packages: Sequence[str] = (),
    drivers: Sequence[str] = (),
) -> Lab:  # fmt: skip
    """Make everything ready; what is slow comes from the cache.

    :param packages: what A has besides the usual.
    :param drivers: modules that B and C have besides the usual, if their kernel is the distribution's.
    """
    kernel = guest_kernel(sink, arguments.linux_source)
    root = guest_root(sink, packages)
    saver = saver_of(arguments, sink)
    names = (*MACHINES_OWN, *drivers)
    initrd = saver_initramfs(sink, saver, names, screen=vars(arguments).get("screen", ()))
    sink(Stage(StageName.DISKS, Status.STARTED))
    disk_a = disks.copy(root, directory / "a.raw")
    given = installed.key_file(directory / "initramfs.img")
    given.write_text(f"{installed.GIVEN}\n")
    disks.put_on_boot(
        disk_a,
        {
            **kernel_files(kernel), **(kernel_files(saver) if saver else {}),
            "khib/initramfs.img": initrd, "khib/initramfs.key": given,
        },
    )  # fmt: skip
    disks.put_on_root(disk_a, kernel.modules, f"/usr/lib/modules/{kernel.release}")
    target = disks.target_disk(directory / "target.raw", arguments.memory, image_mib)
    program = directory / "program.raw"
    choices = directory / "khib.toml"
    settings.save(chosen(DEMO_SETTINGS, saver), choices)
    program_disk(program, {"khib.toml": choices})
    sink(Stage(StageName.DISKS, Status.DONE))
    hardware = Hardware(
        arguments.memory, arguments.cpus, arguments.firmware, (disk_a, target, program), directory,
        board=Board.of(arguments), one_thread=arguments.linux_source is not None or saver is not None,
    )  # fmt: skip
    return Lab(hardware, kernel, directory, saver=saver)
