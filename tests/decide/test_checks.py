"""Verdicts on machines: six whole ones, and one fact changed at a time."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from khib_tui.decide import checks
from khib_tui.decide.findings import blockers
from khib_tui.events.types import Finding, Severity
from khib_tui.model import machine
from khib_tui.model.machine import KernelFile, Machine, MemoryRange
from tests.kit import MACHINES

GOOD = machine.load(MACHINES / "qemu-bios-1g.json")
KERNEL = GOOD.kernels[0]
ALL = [
    "HIB-E-ROOT", "HIB-E-ARCH", "HIB-E-LOCKDOWN", "HIB-E-OLD-KERNEL", "HIB-E-KEXEC", "HIB-E-KEXEC-JUMP",
    "HIB-E-HIBERNATION", "HIB-E-KEXEC-DISABLED", "HIB-E-DEVMEM", "HIB-E-ENCRYPTED", "HIB-E-XEN", "HIB-E-BALLOON",
    "HIB-E-IOMEM", "HIB-E-FIRMWARE-MEMMAP", "HIB-E-ADDED-RAM", "HIB-E-BROKEN-MEMORY", "HIB-E-RAM", "HIB-E-RAM-DISK",
    "HIB-E-RSDP", "HIB-E-KALLSYMS", "HIB-E-KCORE", "HIB-E-NO-KERNEL", "HIB-E-PAGE-POISON", "HIB-E-KEXEC-LOADED",
    "HIB-E-WATCHDOG", "HIB-E-BATTERY",
]  # fmt: skip


def bad(facts: Machine) -> dict[str, str]:
    return {item.ident: item.severity for item in checks.check(facts) if item.severity != Severity.OK}


def only(facts: Machine, ident: str) -> Finding:
    (found,) = [item for item in checks.check(facts) if item.ident == ident]
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("qemu-bios-1g", {}),
        ("qemu-uefi-5g", {}),
        ("amd-laptop-ubuntu", {}),
        ("qemu-dimm", {"HIB-E-ADDED-RAM": "blocker"}),
        ("laptop-debian", {"HIB-E-KEXEC-JUMP": "blocker", "HIB-E-BATTERY": "warning"}),
        (
            "workstation-fedora-locked",
            {"HIB-E-LOCKDOWN": "blocker", "HIB-E-KEXEC-DISABLED": "blocker", "HIB-E-KEXEC-LOADED": "warning"},
        ),
    ],
)
def test_whole_machines(name: str, expected: dict[str, str]) -> None:
    assert bad(machine.load(MACHINES / f"{name}.json")) == expected


def without(facts: Machine, option: str) -> dict[str, str]:
    return {name: value for name, value in facts.config.items() if name != option}


RESERVED = (MemoryRange(0, 4096, "Reserved"),)


@pytest.mark.parametrize(
    ("fields", "ident", "severity"),
    [
        ({"root": False}, "HIB-E-ROOT", "blocker"),
        ({"arch": "aarch64"}, "HIB-E-ARCH", "blocker"),
        ({"lockdown": "integrity"}, "HIB-E-LOCKDOWN", "blocker"),
        ({"lockdown": "confidentiality"}, "HIB-E-LOCKDOWN", "blocker"),
        ({"release": "6.0.19"}, "HIB-E-OLD-KERNEL", "blocker"),
        ({"xen": "PV"}, "HIB-E-XEN", "blocker"),
        ({"xen": "dom0"}, "HIB-E-XEN", "blocker"),
        ({"xen": "HVM"}, "HIB-E-XEN", "warning"),
        ({"nested_ram": (MemoryRange(1 << 40, 2 << 40, "System RAM (kmem)"),)}, "HIB-E-RAM", "blocker"),
        ({"mem_total": GOOD.mem_total + (1 << 30)}, "HIB-E-RAM", "blocker"),
        ({"iomem": (*GOOD.iomem, MemoryRange(1 << 40, 2 << 40, "System RAM"))}, "HIB-E-RAM", "blocker"),
        ({"uefi": True, "acpi_rsdp": 0}, "HIB-E-RSDP", "blocker"),
        ({"config": without(GOOD, "KEXEC")}, "HIB-E-KEXEC", "blocker"),
        ({"config": without(GOOD, "KEXEC_JUMP")}, "HIB-E-KEXEC-JUMP", "blocker"),
        ({"config": without(GOOD, "HIBERNATION")}, "HIB-E-HIBERNATION", "blocker"),
        ({"kexec_load_disabled": True}, "HIB-E-KEXEC-DISABLED", "blocker"),
        ({"devmem": False}, "HIB-E-DEVMEM", "warning"),
        ({"memory_encryption": "SEV"}, "HIB-E-ENCRYPTED", "blocker"),
        ({"balloon": True}, "HIB-E-BALLOON", "blocker"),
        ({"iomem": ()}, "HIB-E-IOMEM", "blocker"),
        ({"iomem": RESERVED}, "HIB-E-IOMEM", "blocker"),
        ({"firmware_memmap": ()}, "HIB-E-FIRMWARE-MEMMAP", "blocker"),
        ({"firmware_memmap": RESERVED}, "HIB-E-FIRMWARE-MEMMAP", "blocker"),
        ({"added_ram": (MemoryRange(1 << 32, 5 << 30, "System RAM"),)}, "HIB-E-ADDED-RAM", "blocker"),
        ({"kallsyms": False}, "HIB-E-KALLSYMS", "blocker"),
        ({"kcore": False}, "HIB-E-KCORE", "blocker"),
        ({"kernels": ()}, "HIB-E-NO-KERNEL", "blocker"),
        ({"page_poison": True}, "HIB-E-PAGE-POISON", "warning"),
        ({"kexec_loaded": True}, "HIB-E-KEXEC-LOADED", "warning"),
    ],
)
def test_one_fact_makes_one_finding(fields: dict[str, Any], ident: str, severity: str) -> None:
    facts = msgspec.structs.replace(GOOD, **fields)
    assert bad(facts) == {ident: severity}
    found = only(facts, ident)
    assert found.what and found.why and found.fix
    assert [item.ident for item in checks.check(facts)] == ALL


def test_every_check_says_something_good_too() -> None:
    findings = checks.check(GOOD)
    assert [item.ident for item in findings] == ALL
    assert all(item.severity == Severity.OK and item.what for item in findings)
    assert blockers(findings) == []


def test_blockers_leaves_warnings_out() -> None:
    facts = msgspec.structs.replace(GOOD, root=False, page_poison=True)
    assert [item.ident for item in blockers(checks.check(facts))] == ["HIB-E-ROOT"]


def test_an_unknown_configuration_only_warns() -> None:
    facts = msgspec.structs.replace(GOOD, config={})
    assert bad(facts) == dict.fromkeys(("HIB-E-KEXEC", "HIB-E-KEXEC-JUMP", "HIB-E-HIBERNATION"), "warning")


def test_secure_boot_is_named_where_it_is_the_cause() -> None:
    locked = msgspec.structs.replace(GOOD, lockdown="integrity", secure_boot=True)
    assert "Secure Boot" in only(locked, "HIB-E-LOCKDOWN").what
    assert "Secure Boot" in only(locked, "HIB-E-LOCKDOWN").fix
    by_word = msgspec.structs.replace(locked, secure_boot=False)
    assert "Secure Boot" not in only(by_word, "HIB-E-LOCKDOWN").fix


@pytest.mark.parametrize(
    ("secure_boot", "cmdline", "way"),
    [
        (True, "", "mokutil --disable-validation"),
        (False, "quiet lockdown=integrity", "lockdown="),
        (None, "quiet", "configuration"),
    ],
)
def test_a_lockdown_names_the_way_out_that_its_cause_has(secure_boot: bool | None, cmdline: str, way: str) -> None:
    locked = msgspec.structs.replace(GOOD, lockdown="integrity", secure_boot=secure_boot, cmdline=cmdline)
    assert way in only(locked, "HIB-E-LOCKDOWN").fix


@pytest.mark.parametrize(
    ("percent", "on_ac", "severity"),
    [
        (None, None, "ok"), (9.9, False, "warning"), (10.0, False, "ok"), (3.0, False, "warning"), (2.9, False, "blocker"),
        (2.9, True, "ok"), (2.9, None, "blocker"), (80.0, True, "ok"),
    ],
)  # fmt: skip
def test_battery(percent: float | None, on_ac: bool | None, severity: str) -> None:
    facts = msgspec.structs.replace(GOOD, battery_percent=percent, on_ac=on_ac)
    assert only(facts, "HIB-E-BATTERY").severity == severity


def kernel(**fields: Any) -> KernelFile:
    return msgspec.structs.replace(KERNEL, **fields)


def test_saver_kernels() -> None:
    unfit, unknown = kernel(config={"KEXEC": "y"}), kernel(config={}, release="6.9-mystery")
    some = only(msgspec.structs.replace(GOOD, kernels=(unfit, unknown, KERNEL)), "HIB-E-NO-KERNEL")
    assert (some.severity, KERNEL.release in some.what) == ("ok", True)
    maybe = only(msgspec.structs.replace(GOOD, kernels=(unfit, unknown)), "HIB-E-NO-KERNEL")
    assert (maybe.severity, maybe.fix.endswith("config-6.9-mystery")) == ("warning", True)
    none = only(msgspec.structs.replace(GOOD, kernels=(unfit,)), "HIB-E-NO-KERNEL")
    assert (none.severity, "CONFIG_X86_64" in none.why) == ("blocker", True)
