"""The lab as a real computer: one disk, started by its own firmware and boot loader."""

from __future__ import annotations

import shutil
from argparse import Namespace
from dataclasses import dataclass, field
from pathlib import Path

from khib_tui.errors import UsageError
from khib_tui.events.types import Sink, Stage, StageName, Status
from khib_tui.lab import disks, setup, spoil
from khib_tui.lab.board import Board
from khib_tui.lab.build.bootable import WORDS
from khib_tui.lab.build.kernel import DISK_PARTS, GuestKernel, guest_kernel, is_kernel_built
from khib_tui.lab.build.program import program_tree
from khib_tui.lab.disks import Partition
from khib_tui.lab.hardware import Boot, Hardware
from khib_tui.lab.installed import ESP, IMAGE, ROOT, add_image_partition
from khib_tui.lab.loader import Kind, bootable_disk, is_bootable_built, refuse_loader
from khib_tui.lab.machine import machine_of
from khib_tui.lab.setup import Lab
from khib_tui.model import settings
from khib_tui.model.units import GIB

SYSTEM_ROOM = 3 * GIB // 2  # at most; measured: 600 MiB while it is built, 250 MiB of each loader afterwards
PLAIN = "use --boot kernel"
GRUBENV = "grubenv"
FILE = "/hibernate.khib"


@dataclass(frozen=True)
class DiskLab(Lab):
    """A machine that is only switched on: its boot loader starts A, or C if A has chosen so.

    :param kind: its boot loader.
    :param file: of A's root that takes the image, '' if a partition does.
    :param image: where the file lies on the disk, once it is made.
    """

    kind: Kind
    file: str = ""
    image: list[Partition] = field(default_factory=list)

    def boot_a(self, words: str) -> Boot:
        """Switch on.

        :param words: must be among those that the boot loader's own entry has.
        :raises UsageError: they are not.
        """
        if other := set(words.split()) - set(WORDS.split()):
            raise UsageError(f"A's own boot entry lacks {' '.join(sorted(other))}", hint=PLAIN, ident="HIB-E-LAB-BOARD")
        return Boot()

    def boot_c(self, change: dict[str, str] | None = None, memmap: str | None = None) -> Boot:
        """Switch on.

        :param memmap: empty: the memory words on the disk are spoiled first.
        :raises UsageError: the entry on the disk cannot be changed otherwise.
        """
        if memmap == "":
            spoil.lose_memory_words(self.disk_a, self.kind)
        if change or memmap:
            raise UsageError("C's words are on the disk", hint=PLAIN, ident="HIB-E-LAB-BOARD")
        return Boot()

    def watched(self, target_partition: int = IMAGE) -> list[tuple[Path, list[Partition]]]:
        """Return the disks with what may change while A sleeps: the image, and what the boot loader writes itself."""
        if self.file:
            return [(self.disk_a, [*self.image, *self.loaders_own()])]
        parts = disks.partitions(self.disk_a)
        if len(self.hardware.disks) == 1:
            return [(self.disk_a, [parts[IMAGE], *self.loaders_own()])]
        target = disks.partitions(self.disk_target)[0]
        return [(self.disk_a, self.loaders_own()), (self.disk_target, [target])]

    def loaders_own(self) -> list[Partition]:
        """Return what the boot loader writes to A's disk when it starts C: grubenv, or the seed on the ESP."""
        if self.kind.loader == "grub":
            return disks.used_by(self.disk_a, *self.kind.grub_file(GRUBENV))
        return [disks.partitions(self.disk_a)[ESP]] if self.kind.loader == "systemd-boot" else []

    @property
    def disk_target(self) -> Path:
        """The disk the image goes to."""
        return self.hardware.disks[-1]

    @property
    def boots_itself(self) -> bool:
        """Whether firmware and boot loader on the disk choose what starts."""
        return True

    def fsck(self) -> tuple[bool, str]:
        """Check A's root filesystem, and that of /boot if it is another, without changing them."""
        checked = [disks.fsck(self.disk_a, number) for number in ([ROOT, ESP] if self.kind.own_boot else [ROOT])]
        return all(clean for clean, _ in checked), "\n".join(text for _, text in checked)


def say_room(arguments: Namespace, sink: Sink) -> None:
    """Say how much room is needed at most, as the plain lab does.

    :raises Refused: that much is not free, or there is no such loader for this firmware.
    """
    refuse_loader(Kind.of(arguments))
    if not is_kernel_built(arguments.linux_source, DISK_PARTS):
        setup.tell_room(arguments, sink, setup.KERNEL_ROOM)
        return
    kernel = guest_kernel(sink, arguments.linux_source, more=DISK_PARTS)
    built = is_bootable_built(kernel, Kind.of(arguments))
    setup.tell_room(arguments, sink, 0 if built else SYSTEM_ROOM)


def prepare(arguments: Namespace, directory: Path, sink: Sink) -> DiskLab:
    """Make everything ready; what is slow comes from the cache.

    :param arguments: as for the plain lab, and `loader`, `machine`.
    :raises Refused: there is no such loader for this firmware.
    """
    kind = Kind.of(arguments)
    refuse_loader(kind)
    kernel = guest_kernel(sink, arguments.linux_source, more=DISK_PARTS)
    made = bootable_disk(sink, kernel, kind)
    sink(Stage(StageName.DISKS, Status.STARTED))
    machine = machine_of(arguments)
    disk = disks.copy(made / "disk.img", directory / "a.raw")
    if arguments.firmware == "uefi":
        shutil.copyfile(made / "efivars.fd", directory / "efivars.fd")
    all_disks: tuple[Path, ...] = (disk,)
    in_file = vars(arguments).get("place") == "file" and not machine.target
    target = machine.partition(IMAGE + 1)
    if machine.target:
        all_disks += (disks.target_disk(directory / "target.raw", arguments.memory),)
        target = f"/dev/{machine.target}1"
    elif in_file:
        target = f"file:{FILE}"
    else:
        add_image_partition(disk, arguments.memory + 128)
    saver = setup.saver_of(arguments, sink)
    if saver:
        put_kernel(disk, directory, saver, kind)
    _put_program(disk, directory, target, saver)
    sink(Stage(StageName.DISKS, Status.DONE))
    hardware = Hardware(
        arguments.memory, arguments.cpus, arguments.firmware, all_disks, directory,
        board=machine.with_board(Board.of(arguments)), machine=machine, one_thread=saver is not None,
    )  # fmt: skip
    return DiskLab(hardware, kernel, directory, kind, FILE if in_file else "", saver=saver)


def put_kernel(disk: Path, directory: Path, kernel: GuestKernel, kind: Kind) -> None:
    """Put a distribution's kernel into A's root, as its packages would.

    :raises UsageError: /boot is not in A's root.
    """
    if kind.loader != "grub" or kind.own_boot:
        raise UsageError(
            "another kernel for B and C needs /boot in A's root", hint="use --loader grub", ident="HIB-E-LAB-BOARD"
        )
    tree = directory / "boot"
    tree.mkdir()
    for name, path in setup.kernel_files(kernel).items():
        (tree / name).symlink_to(path)
    disks.put_on_root(disk, tree, "/boot", ROOT, merge=True)
    disks.put_on_root(disk, kernel.modules.parent, "/usr/lib/modules", ROOT, merge=True)
    shutil.rmtree(tree)


def _put_program(disk: Path, directory: Path, target: str, saver: GuestKernel | None) -> None:
    """Put this khib and its settings into A's root."""
    choices = directory / "khib.toml"
    wanted = settings.Settings(target=target, countdown=0, events="/dev/ttyS1", plain=True)
    settings.save(setup.chosen(wanted, saver), choices)
    tree = directory / "program"
    program_tree(tree, {"khib.toml": choices})
    disks.put_on_root(disk, tree, "/opt/khib", ROOT, merge=True)
    shutil.rmtree(tree)
