"""Memory that is in use and would not be saved, or would not be there again."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from khib_tui.decide.memory import check_memory
from khib_tui.decide.ramdisk import made_of_ram
from khib_tui.decide.target import candidates, refusals
from khib_tui.events.types import Finding, Severity
from khib_tui.facts.probe import probe
from khib_tui.model.machine import Machine, MemoryRange
from khib_tui.model.target import Target
from khib_tui.model.units import GIB, MIB
from tests.kit import fakeroot
from tests.kit.machines import BIOS, changed, device, field


def bad(machine: Machine) -> dict[str, Finding]:
    return {item.ident: item for item in check_memory(machine) if item.severity != Severity.OK}


def test_cxl_memory_that_only_memtotal_shows_is_refused() -> None:
    found = bad(field("03-cxl-kmem"))
    assert found.keys() == {"HIB-E-RAM"}
    assert found["HIB-E-RAM"].severity == Severity.BLOCKER and "134.0 GiB" in found["HIB-E-RAM"].what


def test_cxl_memory_that_iomem_shows_below_its_window_is_refused(tmp_path: Path) -> None:
    found = bad(probe(fakeroot.make(tmp_path, "03-iomem-cxl-kmem")))["HIB-E-RAM"]
    assert found.severity == Severity.BLOCKER
    assert found.what == "8.0 GiB in use are memory of a device: System RAM (kmem)" and "daxctl" in found.fix


def test_memory_that_fills_iomem_to_the_last_page_is_fine() -> None:
    total = sum(item.end - item.start for item in BIOS.iomem if item.type == "System RAM") // 4096 * 4096
    assert bad(msgspec.structs.replace(BIOS, mem_total=total - 4096)) == {}


def test_a_mounted_disk_of_ram_is_refused() -> None:
    found = bad(field("04-legacy-pmem-mounted"))
    assert found.keys() == {"HIB-E-RAM-DISK"}
    assert found["HIB-E-RAM-DISK"].severity == Severity.BLOCKER
    assert "pmem0" in found["HIB-E-RAM-DISK"].why and "memmap=8G!8G" in found["HIB-E-RAM-DISK"].fix


@pytest.mark.parametrize("use", [{"mounts": ("/x",)}, {"swap": True}, {"holders": ("dm-0",)}])
def test_any_use_of_it_counts(use: dict[str, object]) -> None:
    idle = changed(field("04-legacy-pmem-mounted"), "pmem0", mounts=())
    assert bad(idle)["HIB-E-RAM-DISK"].severity == Severity.WARNING
    assert bad(changed(idle, "pmem0", **use))["HIB-E-RAM-DISK"].severity == Severity.BLOCKER


def test_a_disk_of_ram_is_no_target() -> None:
    idle = changed(field("04-legacy-pmem-mounted"), "pmem0", mounts=(), fstype="")
    found = [item.ident for item in refusals(idle, Target("/dev/pmem0"), GIB)]
    assert "HIB-E-TARGET-RAM" in found
    assert all(reasons for target, reasons in candidates(idle, GIB) if "pmem" in target.device)


def test_persistent_memory_of_the_firmware_keeps_its_content() -> None:
    here = field("04-legacy-pmem-mounted")
    real = MemoryRange(0x200000000, 0x400000000, "Persistent Memory (legacy)")
    low = [item for item in here.firmware_memmap if item.start != 1 << 32]
    around = (MemoryRange(1 << 32, real.start, "System RAM"), MemoryRange(real.end, 0x480000000, "System RAM"))
    firmware = (*low, around[0], real, around[1])
    here = msgspec.structs.replace(here, firmware_memmap=firmware)
    assert bad(here) == {} and not made_of_ram(here, device(here, "pmem0"))


def test_a_domain_of_xen_is_refused_by_its_type_and_by_its_memory_map(tmp_path: Path) -> None:
    probed = bad(probe(fakeroot.make(tmp_path, "17-xen-dom0")))
    assert probed["HIB-E-XEN"].severity == Severity.BLOCKER and "dom0" in probed["HIB-E-XEN"].what
    by_map = bad(field("17-xen-dom0"))
    assert by_map.keys() == {"HIB-E-RAM"} and "no memory to the firmware" in by_map["HIB-E-RAM"].what


def test_a_balloon_of_hyper_v_is_refused(tmp_path: Path) -> None:
    found = bad(probe(fakeroot.make(tmp_path, "18-hyperv-vmware-balloon")))["HIB-E-BALLOON"]
    assert found.severity == Severity.BLOCKER and "hv_balloon" in found.fix


def test_ram_that_the_kernel_was_told_of_is_refused() -> None:
    extra = MemoryRange(64 * GIB, 64 * GIB + 16 * MIB, "System RAM")
    assert bad(msgspec.structs.replace(BIOS, iomem=(*BIOS.iomem, extra)))["HIB-E-RAM"].what.startswith("16.0 MiB in use")


def test_broken_memory_is_never_read(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 1000 kB\nHardwareCorrupted:     8 kB\n")
    assert probe(tmp_path).mem_corrupted == 8192
    found = bad(msgspec.structs.replace(BIOS, mem_corrupted=8192))["HIB-E-BROKEN-MEMORY"]
    assert found.severity is Severity.BLOCKER and found.what.startswith("8.0 KiB") and "memmap=4K$" in found.fix
