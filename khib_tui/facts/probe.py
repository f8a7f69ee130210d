"""All facts about the running system, read below a root directory that a test can make up.

What cannot be read stays empty: `checks` says what that means. Nothing here writes, raises for odd files or runs programs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from khib_tui.facts import blockdev, bootmap, cpuinfo, kconfig, kernels
from khib_tui.facts.blockdev import devices
from khib_tui.facts.read import data, names, number, text
from khib_tui.model.machine import BlockDevice, Machine, MemoryRange
from khib_tui.model.text import clean
from khib_tui.model.units import KIB

__all__ = ["devices", "probe"]

ROOT = Path("/")
# Buses such as USB take their time until a disk is there. Seconds.
WAIT_FOR_DISKS = 20.0
SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
ACPI_RSDP_ADDR = 0x70
_DMI = ("sys_vendor", "product_name", "product_uuid", "bios_version")
_IOMEM_LINE = re.compile(r"^([0-9a-f]{1,16})-([0-9a-f]{1,16}) : (.*)$", re.MULTILINE)
# What kstrtobool() takes for true.
_TRUE = re.compile(r"[yt1]|on", re.IGNORECASE)
_KALLSYMS_LINES = 2_000_000


def probe(root: Path = ROOT, known: Sequence[BlockDevice] | None = None) -> Machine:
    """Read all facts about the system below `root`; only for '/' does it ask psutil and the process itself.

    :param known: its block devices, if they were read already.
    """
    uname = os.uname()
    release = text(root / "proc/sys/kernel/osrelease") or uname.release
    cmdline = text(root / "proc/cmdline")
    config = kconfig.running(root, release)
    ranges, memmap = iomem(root), firmware_memmap(root)
    percent, plugged = battery() if root == ROOT and names(root / "sys/class/power_supply") else (None, None)
    uefi = (root / "sys/firmware/efi").is_dir()
    return Machine(
        release=clean(release),
        version=clean(text(root / "proc/sys/kernel/version") or uname.version, 256),
        arch=clean(text(root / "proc/sys/kernel/arch") or uname.machine),
        cmdline=clean(cmdline, 4096),
        root=os.geteuid() == 0 if root == ROOT else bool(ranges),
        uefi=uefi,
        acpi_rsdp=acpi_rsdp(root),
        iomem=ranges,
        firmware_memmap=memmap,
        added_ram=bootmap.added(root, memmap),
        mem_total=_meminfo(root, "MemTotal"),
        mem_available=_meminfo(root, "MemAvailable"),
        cpu=cpuinfo.read_cpu(root),
        config=config,
        kernels=kernels.find(root, release, config),
        devices=blockdev.devices(root) if known is None else tuple(known),
        lockdown=lockdown(root),
        secure_boot=secure_boot(root),
        kexec_load_disabled=bool(number(root / "proc/sys/kernel/kexec_load_disabled")),
        kexec_loaded=bool(number(root / "sys/kernel/kexec_loaded")),
        memory_encryption=cpuinfo.memory_encryption(root, release, cmdline, config),
        balloon=balloon(root),
        page_poison=_switch(cmdline, "page_poison", False)
        or _switch(cmdline, "debug_pagealloc", config.get("DEBUG_PAGEALLOC_ENABLE_DEFAULT") == "y"),
        init_on_free=_switch(cmdline, "init_on_free", config.get("INIT_ON_FREE_DEFAULT_ON") == "y"),
        kallsyms=kallsyms(root),
        kcore=(root / "proc/kcore").exists(),
        devmem=(root / "dev/mem").exists(),
        battery_percent=percent,
        on_ac=plugged,
        machine_id=clean(text(root / "etc/machine-id", 256)),
        dmi={name: value for name in _DMI if (value := clean(text(root / "sys/class/dmi/id" / name, 256)))},
    )


def iomem(root: Path) -> tuple[MemoryRange, ...]:
    """Read the top level of /proc/iomem; () where the kernel shows only zeros, as it does to users."""
    found = [_range(*line) for line in _IOMEM_LINE.findall(text(root / "proc/iomem"))]
    return tuple(found) if any(item.start for item in found) else ()


def _range(start: str, last: str, kind: str) -> MemoryRange:
    return MemoryRange(int(start, 16), int(last, 16) + 1, clean(kind))


def firmware_memmap(root: Path) -> tuple[MemoryRange, ...]:
    """Read the firmware's memory map, sorted by address; () without CONFIG_FIRMWARE_MEMMAP."""
    top = root / "sys/firmware/memmap"
    words = [tuple(text(top / entry / name, 256) for name in ("start", "end", "type")) for entry in names(top)]
    hexadecimal = re.compile(r"0x[0-9a-f]{1,16}")
    sound = [row for row in words if hexadecimal.fullmatch(row[0]) and hexadecimal.fullmatch(row[1])]
    return tuple(sorted((_range(*row) for row in sound), key=lambda item: (item.start, item.end)))


def _meminfo(root: Path, key: str) -> int:
    found = re.search(rf"^{key}:\s+(\d{{1,15}}) kB$", text(root / "proc/meminfo"), re.MULTILINE)
    return int(found[1]) * KIB if found else 0


def battery() -> tuple[float | None, bool | None]:
    """Ask psutil for the charge in percent and whether the machine is plugged in; None where it has no battery."""
    try:
        import psutil

        found = psutil.sensors_battery()
    except (ImportError, OSError, ValueError, RuntimeError):
        return None, None
    return (found.percent, found.power_plugged) if found else (None, None)


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


def balloon(root: Path) -> bool:
    """Return whether the host took memory away (virtio-balloon) or can plug it (virtio-mem)."""
    drivers = root / "sys/bus/virtio/drivers"
    if _bound(drivers / "virtio_mem"):
        return True
    counters = dict(re.findall(r"^(balloon_\w+) (\d{1,18})$", text(root / "proc/vmstat"), re.MULTILINE))
    inflated = int(counters.get("balloon_inflate", 1)) - int(counters.get("balloon_deflate", 0))
    return _bound(drivers / "virtio_balloon") and inflated > 0


def _bound(driver: Path) -> bool:
    return any(re.fullmatch(r"virtio\d+", name) for name in names(driver))


def _switch(cmdline: str, word: str, default: bool) -> bool:
    """Read an on/off kernel parameter; the last one counts."""
    values = re.findall(rf"(?:^|\s){word}=(\S+)", cmdline)
    return bool(_TRUE.match(values[-1])) if values else default


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
