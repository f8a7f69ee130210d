"""Which computer the lab is: how its disks and keyboard are connected, and what A calls its disks."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass, field, replace

from khib_tui.errors import UsageError
from khib_tui.lab.board import HOTPLUG, Board

XHCI = ("-device", "qemu-xhci,id=xhci")


@dataclass(frozen=True)
class Machine:
    """A kind of computer.

    :param words: QEMU's, before the disks.
    :param first: the device that the first disk is, with `{n}` for the number of the disk; `others` the next ones.
    :param root: A's name of the first disk.
    :param target: A's name of the disk with the image; its own disk if that is another one.
    :param board: what it has besides.
    """

    name: str
    first: str
    root: str
    words: tuple[str, ...] = ()
    others: str = ""
    target: str = ""
    board: Board = field(default_factory=Board)

    def disk(self, number: int, board: Board) -> str:
        """Return the device of a disk in QEMU's words."""
        device = (self.others if number else self.first) or self.first
        behind = board.disk_words if device.startswith("virtio") else ""
        return f"{device.format(n=number)},drive=d{number}{behind}"

    def partition(self, number: int) -> str:
        """Return A's path of a partition of the first disk."""
        return f"/dev/{self.root}{'p' if self.root[-1].isdigit() else ''}{number}"

    def with_board(self, given: Board) -> Board:
        """Return what was asked for, and what this machine has in any case."""
        own = self.board
        return replace(
            given, numa=given.numa or own.numa, hotplug=given.hotplug or own.hotplug, dimm=given.dimm or own.dimm,
            iommu=given.iommu or own.iommu,
        )  # fmt: skip


_VIRTIO = "virtio-blk-pci,serial=khib-disk-{n}"
VIRTIO = Machine("virtio", _VIRTIO, "vda")
MACHINES = {
    machine.name: machine
    for machine in (
        VIRTIO,
        Machine("laptop", "nvme,serial=khib-disk-{n}", "nvme0n1", board=Board(iommu="intel")),
        Machine(
            "desktop", "ide-hd,bus=ide.{n},serial=khib-disk-{n}", "sda", (*XHCI, "-device", "usb-kbd,bus=xhci.0"),
            board=Board(numa=True, hotplug=HOTPLUG),
        ),
        Machine("usb", _VIRTIO + ",bootindex=1", "vda", XHCI, "usb-storage,bus=xhci.0,serial=khib-disk-{n}", "sda"),
        # QEMU 7.2 has no emmc, so this is a memory card in the same slot
        Machine("emmc", "sd-card,bus=sd-bus", "mmcblk0", ("-device", "sdhci-pci")),
    )
}  # fmt: skip


def machine_of(arguments: Namespace) -> Machine:
    """Read what was typed.

    :raises UsageError: only a lab that boots from its own disk has other machines than virtio.
    """
    machine = MACHINES[vars(arguments).get("machine", VIRTIO.name)]
    if machine is not VIRTIO and vars(arguments).get("boot") != "disk":
        raise UsageError(
            f"the {machine.name} boots from its own disk only", hint="add --boot disk", ident="HIB-E-LAB-BOARD"
        )  # fmt: skip
    return machine
