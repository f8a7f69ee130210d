"""What QEMU is told about chipset, nodes, memory that can be plugged in, and IOMMU; what the machine says."""

from __future__ import annotations

import socket
from argparse import Namespace
from pathlib import Path

import pytest

from khib_tui.errors import UsageError
from khib_tui.events.types import Level, Message
from khib_tui.lab.board import DIMM, HOTPLUG, Board
from khib_tui.lab.hardware import Hardware
from khib_tui.lab.vm import Vm


def words(board: Board, memory: int = 1024, cpus: int = 2) -> str:
    return " ".join(board.arguments(memory, cpus))


def test_a_plain_machine() -> None:
    assert Board.of(Namespace()) == Board()
    assert words(Board()) == "-machine q35 -m 1024M"
    assert Board().disk_words == ""


def test_what_is_typed_is_what_is_built() -> None:
    given = Namespace(chipset="pc", below_4g=512, numa=True, hotplug=True, dimm=True, iommu=None)
    assert Board.of(given) == Board("pc", 512, True, HOTPLUG, DIMM)
    assert Board.of(Namespace(iommu="amd")).iommu == "amd"


def test_no_iommu_on_the_old_chipset() -> None:
    with pytest.raises(UsageError):
        Board.of(Namespace(chipset="pc", iommu="intel"))


@pytest.mark.parametrize(
    ("cpus", "first", "second"), [(1, ",cpus=0-0", ""), (2, ",cpus=0-0", ",cpus=1-1"), (5, ",cpus=0-2", ",cpus=3-4")]
)
def test_two_nodes_share_all_memory_and_processors(cpus: int, first: str, second: str) -> None:
    told = words(Board(numa=True), 1025, cpus)
    assert f"size=512M -numa node,nodeid=0,memdev=node0{first} " in told
    assert told.endswith(f"size=513M -numa node,nodeid=1,memdev=node1{second}")


def test_a_module_lies_in_a_range_of_its_own() -> None:
    assert words(Board(hotplug=2048)).endswith("-m 1024M,slots=2,maxmem=3072M")
    told = words(Board(dimm=256))
    assert f"-m 1024M,slots=2,maxmem={1024 + HOTPLUG}M" in told and "-device pc-dimm,memdev=dimm" in told


def test_the_iommu_comes_before_the_disks_behind_it(tmp_path: Path) -> None:
    hardware = Hardware(512, 1, "bios", (tmp_path / "a.raw",), tmp_path, board=Board(iommu="intel", below_4g=256))
    told = hardware.arguments()
    disk = next(word for word in told if word.startswith("virtio-blk-pci"))
    assert told.index("intel-iommu,intremap=on") < told.index(disk) and "iommu_platform=on" in disk
    assert "q35,max-ram-below-4g=256M" in told


def test_an_event_behind_half_a_one_is_read() -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(b'\x1b[2J{"agent":"ready"}\r\n{"event":"ste{"event":"message","text":"all","level":"info"}\r\n')
    theirs.close()
    assert list(Vm(None, ours, None, 0.0, Path()).events()) == [{"agent": "ready"}, Message("all", Level.INFO)]
    ours.close()
