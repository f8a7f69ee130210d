"""Facts read below a made-up root: a laptop, an empty root, and files that are odd."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.facts import probe
from khib_tui.model import machine
from khib_tui.model.machine import Machine, MemoryRange
from tests.kit.faketree import Content, Link, patched, tree
from tests.kit.laptop import DISKS, SYSTEM


def test_system(laptop: Machine) -> None:
    assert (laptop.release, laptop.version, laptop.arch) == ("6.1.0-18-amd64", "#1 SMP Debian", "x86_64")
    assert laptop.root and laptop.uefi and laptop.kexec_load_disabled and not laptop.kexec_loaded
    assert (laptop.mem_total, laptop.mem_available, laptop.mem_free) == (1000 * 1024, 500 * 1024, 1024)
    assert laptop.config == {"KEXEC": "y", "EXT4_FS": "m", "CC": "gcc 12"}
    assert (laptop.lockdown, laptop.secure_boot, laptop.acpi_rsdp) == ("integrity", True, 0x7EB7D014)
    assert laptop.kallsyms and laptop.kcore and laptop.devmem
    assert laptop.page_poison and laptop.init_on_free and not laptop.balloon
    assert laptop.machine_id == "0123456789abcdef"
    assert laptop.dmi == {"sys_vendor": "LENOVO", "bios_version": "R1\\u202eBET"}
    assert (laptop.battery_percent, laptop.on_ac) == (None, None)


def test_memory_maps_are_half_open_and_sorted(laptop: Machine) -> None:
    assert laptop.iomem == (
        MemoryRange(0, 0x1000, "Reserved"),
        MemoryRange(0x1000, 0xA0000, "System RAM"),
        MemoryRange(0xA0000000, 0xA0001000, "ACPI Non-volatile Storage"),
        MemoryRange(1 << 32, 2 << 32, "System RAM"),
    )
    assert laptop.firmware_memmap == (
        MemoryRange(0, 0xA0000, "System RAM"),
        MemoryRange(0xA0000, 0x100000, "ACPI Tables"),
        MemoryRange(0x100000, 0x200000, "Reserved"),
    )


def test_an_empty_root_gives_facts_that_say_so(tmp_path: Path) -> None:
    found = probe.probe(tmp_path)
    assert (found.iomem, found.firmware_memmap, found.devices, found.kernels, found.config) == ((), (), (), (), {})
    assert not (found.root or found.uefi or found.kallsyms or found.kcore or found.devmem or found.balloon)
    assert (found.secure_boot, found.lockdown, found.acpi_rsdp, found.cpu.family) == (None, "", 0, -1)


def test_zero_addresses_are_no_facts(tmp_path: Path) -> None:
    files: dict[str, Content] = {
        "proc/iomem": "00000000-00000000 : System RAM\n00000000-00000000 : Reserved\n",
        "proc/kallsyms": "0000000000000000 T _stext\n0000000000000000 D gdt_page\n",
    }
    found = probe.probe(tree(tmp_path, files))
    assert (found.iomem, found.root, found.kallsyms) == ((), False, False)


def test_the_root_pointer_of_a_bios_machine(tmp_path: Path) -> None:
    data = patched(4096, (0x70, (0xF5B20).to_bytes(8, "little")))
    assert probe.acpi_rsdp(tree(tmp_path, {"sys/kernel/boot_params/data": data})) == 0xF5B20


@pytest.mark.parametrize(
    ("cmdline", "config", "expected"),
    [("", "", False), ("", "CONFIG_INIT_ON_FREE_DEFAULT_ON=y\n", True), ("init_on_free=1", "", True),
     ("init_on_free=0", "CONFIG_INIT_ON_FREE_DEFAULT_ON=y\n", False), ("x.init_on_free=1", "", False),
     ("init_on_free=1 init_on_free=off", "", False), ("init_on_free=on", "", True)],
)  # fmt: skip
def test_init_on_free(tmp_path: Path, cmdline: str, config: str, expected: bool) -> None:
    files: dict[str, Content] = {
        "proc/cmdline": cmdline, "proc/sys/kernel/osrelease": "6.1", "lib/modules/6.1/config": config,
    }  # fmt: skip
    assert probe.probe(tree(tmp_path, files)).init_on_free is expected


def test_odd_files_do_not_raise(tmp_path: Path) -> None:
    odd = {name: b"\xff\0\n:" for name, content in (SYSTEM | DISKS).items() if content and not isinstance(content, Link)}
    found = probe.probe(tree(tmp_path, {name: value for name, value in odd.items() if not name.endswith("/")}))
    assert (found.iomem, found.devices, found.config) == ((), (), {})


def test_facts_survive_their_json(laptop: Machine, tmp_path: Path) -> None:
    (tmp_path / "facts.json").write_bytes(machine.dump(laptop))
    assert machine.load(tmp_path / "facts.json") == laptop
