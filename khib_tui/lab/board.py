"""What kind of machine the lab is: chipset, NUMA nodes, memory that can be plugged in, IOMMU."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass

from khib_tui.errors import UsageError

CHIPSETS = ("q35", "pc")
IOMMUS = ("intel", "amd")
SLOTS = 2
HOTPLUG = 3072
DIMM = 256


@dataclass(frozen=True)
class Board:
    """The machine but for processors, memory and disks. Sizes are MiB.

    :param chipset: QEMU's name of it.
    :param below_4g: so much of the memory lies below 4 GiB, the rest above; 0: as QEMU likes.
    :param numa: two nodes share memory and processors.
    :param hotplug: the range, empty at first, where memory could be plugged in; a `dimm` has one in any case.
    :param dimm: a memory module in that range from the start; the firmware's memory map does not list it.
    :param iommu: the IOMMU with the disks behind it, or empty.
    """

    chipset: str = CHIPSETS[0]
    below_4g: int = 0
    numa: bool = False
    hotplug: int = 0
    dimm: int = 0
    iommu: str = ""

    @classmethod
    def of(cls, arguments: Namespace) -> Board:
        """Read what was typed.

        :raises UsageError: there is no such board.
        """
        given = vars(arguments)
        board = cls(
            given.get("chipset", CHIPSETS[0]), given.get("below_4g", 0), given.get("numa", False),
            HOTPLUG if given.get("hotplug") else 0, DIMM if given.get("dimm") else 0, given.get("iommu") or "",
        )  # fmt: skip
        if board.iommu and board.chipset != "q35":
            raise UsageError(
                "only the q35 chipset has an IOMMU", hint="leave --chipset or --iommu out", ident="HIB-E-LAB-BOARD"
            )
        return board

    def arguments(self, memory: int, cpus: int) -> list[str]:
        """Return QEMU's words; the IOMMU's come before the devices that are behind it.

        :param memory: MiB of it.
        """
        below = f",max-ram-below-4g={self.below_4g}M" if self.below_4g else ""
        words = ["-machine", self.chipset + below, "-m", self._size(memory), *(_nodes(memory, cpus) if self.numa else [])]
        if self.dimm:
            words += ["-object", f"memory-backend-ram,id=dimm,size={self.dimm}M", "-device", "pc-dimm,memdev=dimm,id=module"]
        if self.iommu:
            words += ["-device", f"{self.iommu}-iommu,intremap=on"]
        return words

    def _size(self, memory: int) -> str:
        room = self.hotplug or (HOTPLUG if self.dimm else 0)
        return f"{memory}M,slots={SLOTS},maxmem={memory + room}M" if room else f"{memory}M"

    @property
    def disk_words(self) -> str:
        """What a virtio disk must be told to be behind the IOMMU."""
        return ",iommu_platform=on,disable-legacy=on" if self.iommu else ""


def _nodes(memory: int, cpus: int) -> list[str]:
    """Share memory and processors between two nodes; the second has no processor if there is one only."""
    words = []
    for node, (size, first, last) in enumerate(
        ((memory // 2, 0, (cpus - 1) // 2), (memory - memory // 2, (cpus - 1) // 2 + 1, cpus - 1))
    ):
        words += ["-object", f"memory-backend-ram,id=node{node},size={size}M"]
        words += ["-numa", f"node,nodeid={node},memdev=node{node}" + (f",cpus={first}-{last}" if first <= last else "")]
    return words
