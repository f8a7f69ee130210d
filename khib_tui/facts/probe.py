"""All facts about the running system, read below a root directory that a test can make up.

What cannot be read stays empty: `checks` says what that means. Nothing here writes, raises for odd files or runs programs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from khib_tui.facts import (
    blockdev,
    bootmap,
    cpuinfo,
    earlystart,
    efimap,
    hypervisor,
    kconfig,
    kernels,
    memory,
    power,
    sleepstates,
)
from khib_tui.facts.bootloader import read_boot
from khib_tui.facts.display import read_display, with_display
from khib_tui.facts.hardware import read_hardware
from khib_tui.facts.read import data, number, text
from khib_tui.facts.watchdogs import read_watchdogs
from khib_tui.model import cmdline as words
from khib_tui.model.machine import BlockDevice, Machine
from khib_tui.model.text import clean

ROOT = Path("/")
SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
ACPI_RSDP_ADDR = 0x70
# What kstrtobool() takes for true.
_TRUE = re.compile(r"[yt1]|on", re.IGNORECASE)
_KALLSYMS_LINES = 2_000_000


def probe(root: Path = ROOT, known: Sequence[BlockDevice] | None = None) -> Machine:
    """Read all facts about the system below `root`; only for '/' does it ask the process itself.

    :param known: its block devices, if they were read already.
    """
    uname = os.uname()
    release = text(root / "proc/sys/kernel/osrelease") or uname.release
    cmdline = text(root / "proc/cmdline")
    config = kconfig.running(root, release)
    hardware = read_hardware(root)
    percent, plugged = power.read_power(root)
    uefi = (root / "sys/firmware/efi").is_dir()
    display = read_display(root)
    devices = blockdev.devices(root) if known is None else tuple(known)
    return Machine(
        release=clean(release),
        version=clean(text(root / "proc/sys/kernel/version") or uname.version, 256),
        arch=clean(text(root / "proc/sys/kernel/arch") or uname.machine),
        cmdline=clean(cmdline, 4096),
        root=os.geteuid() == 0 if root == ROOT else bool(hardware.iomem),
        uefi=uefi,
        acpi_rsdp=acpi_rsdp(root),
        iomem=hardware.iomem,
        hardware_signature=hardware.hardware_signature,
        acpi_tables=hardware.acpi_tables,
        nested_ram=memory.nested_ram(root),
        kernel_image=memory.kernel_image(root),
        firmware_memmap=hardware.firmware_memmap,
        boot_services=efimap.boot_services(root),
        added_ram=bootmap.added(root, hardware.firmware_memmap),
        mem_total=memory.meminfo(root, "MemTotal"),
        mem_available=memory.meminfo(root, "MemAvailable"),
        mem_free=memory.meminfo(root, "MemFree"),
        mem_corrupted=memory.meminfo(root, "HardwareCorrupted"),
        cpu=hardware.cpu,
        config=config,
        kernels=with_display(kernels.find(root, release, config), display, root),
        display=display,
        unified_kernels=kernels.unified(root),
        devices=devices,
        lockdown=lockdown(root),
        secure_boot=secure_boot(root),
        kexec_load_disabled=bool(number(root / "proc/sys/kernel/kexec_load_disabled")),
        kexec_loaded=bool(number(root / "sys/kernel/kexec_loaded")),
        memory_encryption=cpuinfo.memory_encryption(root, release, cmdline, config),
        balloon=hypervisor.balloon(root),
        xen=hypervisor.xen(root),
        page_poison=_switch(cmdline, "page_poison", False)
        or _switch(cmdline, "debug_pagealloc", config.get("DEBUG_PAGEALLOC_ENABLE_DEFAULT") == "y"),
        init_on_free=_switch(cmdline, "init_on_free", config.get("INIT_ON_FREE_DEFAULT_ON") == "y"),
        kallsyms=kallsyms(root),
        kcore=(root / "proc/kcore").exists(),
        devmem=(root / "dev/mem").exists(),
        battery_percent=percent,
        on_ac=plugged,
        watchdogs=read_watchdogs(root),
        machine_id=clean(text(root / "etc/machine-id", 256)),
        initramfs_maker=earlystart.initramfs_maker(root),
        systemd=(root / "run/systemd/system").is_dir(),
        guarded=(root / "etc/khib/guard.conf").exists(),
        dmi=hardware.dmi,
        suspend=sleepstates.suspend(root),
        platform_sleep=sleepstates.platform_sleep(root),
        boot=read_boot(root, devices),
    )


def acpi_rsdp(root: Path) -> int:
    """Return the physical address of the ACPI root pointer: from the EFI system table, else boot_params; 0 if unknown."""
    tables = dict(line.split("=", 1) for line in text(root / "sys/firmware/efi/systab").splitlines() if "=" in line)
    for key in ("ACPI20", "ACPI"):
        if re.fullmatch(r"0x[0-9a-fA-F]{1,16}", tables.get(key, "")):
            return int(tables[key], 16)
    return int.from_bytes(data(root / "sys/kernel/boot_params/data")[ACPI_RSDP_ADDR : ACPI_RSDP_ADDR + 8], "little")


def lockdown(root: Path) -> str:
    """Return the lockdown mode in force, which the kernel puts in brackets; '' without the lockdown module."""
    found = re.search(r"\[(\w+)\]", text(root / "sys/kernel/security/lockdown", 256))
    return found[1] if found else ""


def secure_boot(root: Path) -> bool | None:
    """Return whether Secure Boot is on; None without UEFI. The value follows four bytes of attributes."""
    value = data(root / SECURE_BOOT, 64)
    return value[4] == 1 if len(value) == 5 else None


def _switch(cmdline: str, word: str, default: bool) -> bool:
    """Read an on/off kernel parameter; the last one counts."""
    value = words.value(cmdline, word)
    return default if value is None else bool(_TRUE.match(value))


def kallsyms(root: Path) -> bool:
    """Return whether kernel symbols have addresses and include per-CPU data, where A's GDT is."""
    try:
        with (root / "proc/kallsyms").open(errors="replace") as stream:
            shown = False
            for line in islice(stream, _KALLSYMS_LINES):
                address, _, name = line.partition(" ")
                shown = shown or bool(address.strip("0"))
                if shown and name[2:].split(None, 1)[:1] == ["gdt_page"]:
                    return True
    except OSError:
        pass
    return False
