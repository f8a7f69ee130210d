"""Facts about a computer, frozen: `probe` fills them in, a JSON file can stand in for the computer.

Everything that is decided (checks, region, targets, plan) is decided from these facts alone, so each decision can be
tested for machines we do not have. Addresses and sizes are bytes.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Literal

import msgspec

from khib_tui import files
from khib_tui.errors import UsageError
from khib_tui.i18n import _
from khib_tui.model import cmdline, jsontext
from khib_tui.model.boot import BootFacts
from khib_tui.model.units import MIB

Content = Literal["", "empty", "unknown"]
InitramfsMaker = Literal["", "initramfs-tools", "dracut"]
_MAX_FACTS = 16 * MIB
RAM = "System RAM"
"""What the kernel calls the memory that it uses as its own."""


class SignatureRule(StrEnum):
    """What it means if the firmware's hardware signature is another one at the resume."""

    WARN = "warn"
    REFUSE = "refuse"
    IGNORE = "ignore"


_SIGNATURE_RULES = {"s4_hwsig": SignatureRule.REFUSE, "s4_nohwsig": SignatureRule.IGNORE}


class MemoryRange(msgspec.Struct, frozen=True):
    """A range of physical memory, `[start, end)`; `type` as the kernel spells it.

    In `/proc/iomem`: `System RAM`, `Reserved`, `ACPI Tables`, `ACPI Non-volatile Storage`, ...; in `/sys/firmware/memmap`
    the same names.
    """

    start: int
    end: int
    type: str


class Display(msgspec.Struct, frozen=True):
    """What drives the screen: a kernel module, empty for what the firmware set up; its device; the firmware given to it."""

    module: str = ""
    modalias: str = ""
    firmware: tuple[str, ...] = ()


NO_DISPLAY = Display()


class KernelFile(msgspec.Struct, frozen=True):
    """A kernel that could be B and C: a bzImage with what its configuration says.

    `config` maps option names without `CONFIG_` to `y`, `m` or a value; empty if no configuration was found.
    `init_size`, `pref_address`, `relocatable`, `kernel_64` and `alignment` come from the setup header
    (Documentation/arch/x86/boot.rst). `display_bytes` is what its driver for this machine's screen takes at most, with all
    it needs; 0 for none.
    """

    path: str
    release: str
    init_size: int
    pref_address: int
    relocatable: bool
    config: dict[str, str] = {}
    kernel_64: bool = True
    alignment: int = 2 * MIB
    display_bytes: int = 0


class Swap(msgspec.Struct, frozen=True):
    """An active swap on a device: the whole of it, or a file of its filesystem, by its path; `size` and `used` are bytes."""

    size: int
    used: int
    path: str = ""


class BlockDevice(msgspec.Struct, frozen=True):
    """A disk or partition (or a mapping on top), with everything that says who uses it.

    `kind` is `disk`, `partition`, or one of `dm`, `md`, `loop`, `zram`, `ram`, `rom`, `floppy`, `network`, `virtual` (made
    by a driver out of something else).
    `disk` is the kernel name of the disk a partition lies on. `disk_id` is the GPT disk GUID or MBR signature of that disk
    (hexadecimal), `table` its kind (`gpt`, `dos`; only on disks), `start` the first byte on that disk. `holders` are kernel
    names of devices stacked on it, or of a filesystem driver that uses it; `mounts` is where this system has it mounted, as
    the raw path. `fstype`/`label`/`uuid` is what its content looks like, unknown if not `readable`. Other texts are clean.
    `unit` tells apart disks that have one `serial` (a SCSI unit, an NVMe namespace, a boot area of an eMMC), '' for the first.
    `parttype` is the partition's type in the table: a GUID, or two hexadecimal digits of an MBR; `partlabel` its name there.
    `content` is `empty` or `unknown` where no `fstype` was found, '' where nobody looked. `file_limit` is the largest file
    that an ext2 or ext3 filesystem takes, 0 if unknown. `swap` tells whether the whole of it is active swap, `swaps` has that
    one and those in files on it; facts of an older khib have none.
    """

    name: str
    size: int
    kind: str
    disk: str = ""
    disk_id: str = ""
    start: int = 0
    partuuid: str = ""
    serial: str = ""
    model: str = ""
    fstype: str = ""
    label: str = ""
    uuid: str = ""
    read_only: bool = False
    removable: bool = False
    rotational: bool = False
    holders: tuple[str, ...] = ()
    slaves: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    swap: bool = False
    table: str = ""
    readable: bool = True
    unit: str = ""
    parttype: str = ""
    partlabel: str = ""
    content: Content = ""
    file_limit: int = 0
    swaps: tuple[Swap, ...] = ()

    @property
    def path(self) -> str:
        """Return the device node; sysfs spells `cciss/c0d0` with a `!`."""
        return f"/dev/{self.name.replace('!', '/')}"


class Watchdog(msgspec.Struct, frozen=True):
    """A hardware watchdog that is running: it restarts the machine unless it is fed within `timeout` seconds.

    With `nowayout` it cannot be stopped before the next start.
    """

    name: str
    identity: str = ""
    driver: str = ""
    timeout: int = 0
    nowayout: bool = False


class Cpu(msgspec.Struct, frozen=True):
    """The processor and the modes A runs in that C cannot change.

    `flags_digest` covers the instructions programs find by CPUID, not the flags that kernels add or hide by version.
    """

    vendor: str
    model: str
    family: int
    model_number: int
    stepping: int
    count: int
    la57: bool
    x2apic: bool
    flags_digest: str


class Machine(msgspec.Struct, frozen=True):
    """All facts about one running system.

    `iomem` holds the top level of `/proc/iomem`, `firmware_memmap` all of `/sys/firmware/memmap`, `added_ram` what of that was
    plugged in and was not in the map at boot. `config` is the running
    kernel's configuration, empty if unknown. `kexec_loaded` tells whether an image is loaded already. `mem_available` and
    the like are bytes at the time of asking, `mem_free` 0 in facts of an older khib; `mem_corrupted` is broken memory that the
    kernel uses no more. `memory_encryption` names what is active (`SME`, `SEV`, `TDX`), `balloon` is
    true where the host has taken pages away or can hot-plug them, `xen` names the kind of Xen domain.

    `nested_ram` is System RAM that is part of another resource of `/proc/iomem`, `kernel_image` where the running kernel's
    text and data lie, `unified_kernels` the paths of unified kernel images. `acpi_rsdp` is the physical address that the
    firmware gives for the ACPI root pointer, 0 if unknown. `hardware_signature` is what it computed from the hardware that it
    found (ACPI's FACS), `acpi_tables` a digest of the tables that it goes on to use; empty if unknown. `initramfs_maker` is
    what makes this system's initramfs, `systemd` whether it runs this system, `guarded` whether khib's guard of normal starts
    is installed. `suspend` is how deep it sleeps with its memory on, `deep` (S3) or `s2idle`, '' if it cannot; `platform_sleep`
    tells whether its firmware has ACPI S4. `boot_services` is memory that is taken while a UEFI machine starts, `boot` what is
    known of its boot loader.
    """

    release: str
    version: str
    arch: str
    cmdline: str
    root: bool
    uefi: bool
    acpi_rsdp: int
    iomem: tuple[MemoryRange, ...]
    firmware_memmap: tuple[MemoryRange, ...]
    mem_total: int
    mem_available: int
    cpu: Cpu
    config: dict[str, str] = {}
    kernels: tuple[KernelFile, ...] = ()
    devices: tuple[BlockDevice, ...] = ()
    lockdown: str = ""
    secure_boot: bool | None = None
    kexec_load_disabled: bool = False
    kexec_loaded: bool = False
    memory_encryption: str = ""
    balloon: bool = False
    page_poison: bool = False
    init_on_free: bool = False
    added_ram: tuple[MemoryRange, ...] = ()
    kallsyms: bool = True
    kcore: bool = True
    devmem: bool = True
    mem_free: int = 0
    battery_percent: float | None = None
    on_ac: bool | None = None
    machine_id: str = ""
    watchdogs: tuple[Watchdog, ...] = ()
    dmi: dict[str, str] = {}
    nested_ram: tuple[MemoryRange, ...] = ()
    kernel_image: tuple[MemoryRange, ...] = ()
    xen: str = ""
    unified_kernels: tuple[str, ...] = ()
    initramfs_maker: InitramfsMaker = ""
    systemd: bool = False
    guarded: bool = False
    boot: BootFacts = BootFacts()
    hardware_signature: str = ""
    boot_services: tuple[MemoryRange, ...] = ()
    acpi_tables: str = ""
    display: Display = Display()
    suspend: str = ""
    platform_sleep: bool = False
    mem_corrupted: int = 0

    @property
    def signature_rule(self) -> SignatureRule:
        """What another hardware signature means to a resume, as the kernel reads its `acpi_sleep=`; the last word counts."""
        rule = SignatureRule.WARN
        for name, value in map(cmdline.parameter, cmdline.split(self.cmdline)):
            for word in (value or "").split(",") if name == "acpi_sleep" else ():
                rule = _SIGNATURE_RULES.get(word.strip(), rule)
        return rule

    @property
    def root_pointer(self) -> int:
        """Physical address of the ACPI root pointer, 0 if unknown: of the word that overrides the firmware, else its own."""
        word = cmdline.value(self.cmdline, "acpi_rsdp") or ""
        return int(word, 16) if re.fullmatch(r"(0[xX])?[0-9a-fA-F]{1,16}", word) else self.acpi_rsdp

    def device(self, name: str) -> BlockDevice | None:
        """Find a block device by kernel name or by `/dev/...` path."""
        wanted = name.removeprefix("/dev/").replace("/", "!")
        return next((device for device in self.devices if device.name == wanted), None)


def load(path: Path) -> Machine:
    """Read the facts of a machine from a JSON file, as `khib facts` writes it.

    :raises UsageError: the file is missing or is no such file.
    """
    try:
        return jsontext.decode(files.read(path, _MAX_FACTS), Machine)
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError(f"{path}: {files.reason(error)}", hint=_("make one with `khib facts`"), ident="HIB-E-FACTS") from error


def dump(machine: Machine) -> bytes:
    """Return the facts as readable JSON."""
    return msgspec.json.format(jsontext.encode(machine), indent=2) + b"\n"
