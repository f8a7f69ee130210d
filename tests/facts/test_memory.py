"""The memory that /proc/iomem shows, at any depth."""

from __future__ import annotations

from pathlib import Path

from khib_tui.facts import memory
from khib_tui.facts.probe import probe
from khib_tui.model.machine import MemoryRange
from tests.kit import fakeroot
from tests.kit.faketree import tree

IOMEM = """00000000-00000fff : Reserved
00001000-0009ffff : System RAM
00100000-3fffffff : System RAM
  01000000-01ffffff : Kernel code
  02000000-027fffff : Kernel rodata
  02800000-02ffffff : Kernel data
  03200000-033fffff : Kernel bss
  30000000-37ffffff : Crash kernel
40000000-4fffffff : virtio1
  40000000-43ffffff : System RAM (virtio_mem)
50000000-5fffffff : System RAM (odd)
"""


def test_ram_below_something_else_is_seen(tmp_path: Path) -> None:
    root = tree(tmp_path, {"proc/iomem": IOMEM})
    assert memory.nested_ram(root) == (
        MemoryRange(0x40000000, 0x44000000, "System RAM (virtio_mem)"),
        MemoryRange(0x50000000, 0x60000000, "System RAM (odd)"),
    )
    assert [item.type for item in memory.iomem(root)] == ["Reserved", "System RAM", "System RAM", "virtio1", "System RAM (odd)"]


def test_the_kernel_is_seen(tmp_path: Path) -> None:
    found = memory.kernel_image(tree(tmp_path, {"proc/iomem": IOMEM}))
    assert [(item.start >> 20, item.end >> 20) for item in found] == [(16, 32), (32, 40), (40, 48), (50, 52)]


def test_a_user_sees_nothing(tmp_path: Path) -> None:
    blank = "00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n  00000000-00000000 : System RAM (kmem)\n"
    root = tree(tmp_path, {"proc/iomem": blank})
    assert (memory.iomem(root), memory.nested_ram(root), memory.kernel_image(root)) == ((), (), ())


def test_memory_of_a_cxl_device_in_use(tmp_path: Path) -> None:
    found = probe(fakeroot.make(tmp_path, "03-iomem-cxl-kmem"))
    assert [item.type for item in found.nested_ram] == ["System RAM (kmem)"]
    assert found.nested_ram[0].end - found.nested_ram[0].start == 8 << 30
