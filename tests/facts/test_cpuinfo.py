"""The processor: its modes, its instructions, its encryption of memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.facts import probe
from khib_tui.model import machine
from khib_tui.model.machine import Machine
from tests.kit.faketree import Content, patched, tree


def test_processor(laptop: Machine) -> None:
    cpu = laptop.cpu
    assert (cpu.vendor, cpu.model) == ("AuthenticAMD", "AMD Ryzen 7\\x1b[31m")
    assert (cpu.family, cpu.model_number, cpu.stepping, cpu.count) == (23, 96, 1, 2)
    assert cpu.x2apic and not cpu.la57


def cpu_with(tmp_path: Path, flags: str, **files: Content) -> machine.Cpu:
    content = {"proc/cpuinfo": f"processor\t: 0\nflags\t\t: {flags}\n"} | files
    return probe.probe(tree(tmp_path, content)).cpu


def test_modes_of_the_processor(tmp_path: Path) -> None:
    assert cpu_with(tmp_path / "a", "fpu la57").la57
    assert cpu_with(tmp_path / "b", "fpu x2apic").x2apic
    off = {"dev/cpu/0/msr": patched(64, (0x1B, (0xFEE00900).to_bytes(8, "little")))}
    assert not cpu_with(tmp_path / "c", "fpu x2apic", **off).x2apic


def test_flags_digest_is_about_instructions_only(tmp_path: Path) -> None:
    base = cpu_with(tmp_path / "a", "fpu sse2 avx2").flags_digest
    assert cpu_with(tmp_path / "b", "avx2 pti sse2 ibrs x2apic fpu").flags_digest == base
    assert cpu_with(tmp_path / "c", "fpu sse2").flags_digest != base


@pytest.mark.parametrize(
    ("flags", "release", "cmdline", "config", "expected"),
    [
        ("sme", "6.1.0", "", "", "SME"),
        ("sme", "5.15.0", "", "", ""),
        ("sme", "5.15.0", "mem_encrypt=on", "", "SME"),
        ("sme", "5.15.0", "", "CONFIG_AMD_MEM_ENCRYPT_ACTIVE_BY_DEFAULT=y\n", "SME"),
        ("sme", "6.1.0", "mem_encrypt=off", "", ""),
        ("hypervisor sev", "6.1.0", "", "", "SEV"),
        ("sev sev_es", "6.1.0", "", "", ""),
        ("hypervisor tdx_guest", "6.8.0", "", "", "TDX"),
        ("fpu", "6.1.0", "mem_encrypt=on", "", ""),
    ],
)
def test_memory_encryption(tmp_path: Path, flags: str, release: str, cmdline: str, config: str, expected: str) -> None:
    files: dict[str, Content] = {
        "proc/cpuinfo": f"flags : {flags}\n", "proc/sys/kernel/osrelease": release, "proc/cmdline": cmdline,
        f"boot/config-{release}": config,
    }  # fmt: skip
    assert probe.probe(tree(tmp_path, files)).memory_encryption == expected
