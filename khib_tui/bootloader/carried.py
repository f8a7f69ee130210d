"""What of A's command line B and C get too: where the console is, and what this hardware needs to work at all.

Everything else is A's own affair: its root, its init, its policies. Words are carried just as they are written.
"""

from __future__ import annotations

from khib_tui.model.cmdline import parameter, split

# Names as `parameter` spells them, by what they are for; a name that ends with `*` stands for all that begin so.
CONSOLE = ("console", "earlyprintk", "earlycon", "keep_bootcon", "vga", "video", "nomodeset", "fbcon", "fbcon.*")
QUIRKS = {
    "ACPI tables that lie, or that ask which system runs": ("acpi", "acpi.*", "acpi_*", "pnpacpi", "pnp.*", "pmtmr"),
    "interrupt controllers and their routing": (
        "apic", "noapic", "lapic", "nolapic", "nolapic_timer", "x2apic_phys", "nox2apic", "irqpoll", "irqfixup", "noirqdebug",
        "intremap", "nointremap", "disable_8254_timer", "enable_8254_timer", "no_timer_check", "noapictimer",
    ),
    "PCI: address windows, power of links that drop disks, hot-plug": (
        "pci", "pcie_aspm", "pcie_aspm.*", "pcie_ports", "pcie_port_pm", "pciehp.*", "thunderbolt.*", "vmd.*",
    ),
    "IOMMUs: disks behind a broken one do not work": ("iommu", "iommu.*", "intel_iommu", "amd_iommu", "amd_iommu_*", "ivrs_*"),
    "disks and their controllers": (
        "nvme.*", "nvme_core.*", "libata.*", "ahci.*", "ata_piix.*", "scsi_mod.*", "sd_mod.*", "mmc_core.*", "mmc_block.*",
        "sdhci.*", "sdhci_pci.*", "sdhci_acpi.*", "rtsx_pci.*", "megaraid_sas.*", "mpt3sas.*", "virtio_*", "sg.*",
    ),
    "USB: disks and keyboards": ("usb_storage.*", "uas.*", "usbcore.*", "usbhid.*", "xhci_hcd.*", "xhci_pci.*", "ehci_hcd.*"),
    "keyboards": ("i8042.*", "atkbd.*", "hid.*", "hid_*"),
    "clocks that stop or run wrong": ("tsc", "notsc", "clocksource", "hpet", "nohpet", "lpj"),
    "processors that hang when idle, or cannot be started": (
        "idle", "intel_idle.*", "processor.*", "nosmp", "maxcpus", "nr_cpus", "possible_cpus", "no5lvl", "noxsave",
        "noxsaveopt", "clearcpuid", "dis_ucode_ldr",
    ),
    "power off and restart": ("reboot",),
    "drivers that hang": ("module_blacklist", "initcall_blacklist"),
}  # fmt: skip
# The ACPI root pointer is in B's zero page; C starts from the firmware, which knows it. The rest is common to all B and C.
NOT_THESE = frozenset(("acpi_rsdp", "acpi_no_memhotplug", "acpi_backlight"))
ALWAYS = ("mem_encrypt=off",)
"""A's memory is not encrypted, or it would be refused: B and C must read it as it is, whatever their kernel does by itself."""
_NAMES = (*CONSOLE, *(name for names in QUIRKS.values() for name in names))
_PLAIN = frozenset(name for name in _NAMES if not name.endswith("*"))
_BEGINNINGS = tuple(name.removesuffix("*") for name in _NAMES if name.endswith("*"))


def carried_words(cmdline: str) -> list[str]:
    """Return the words of A's command line that B and C get, in A's order."""
    return [*(word for word in split(cmdline) if _is_carried(*parameter(word))), *ALWAYS]


def _is_carried(name: str, value: str | None) -> bool:
    if name in NOT_THESE or _only_a_has(name, value or ""):
        return False
    return name in _PLAIN or name.startswith(_BEGINNINGS)


def _only_a_has(name: str, value: str) -> bool:
    """Return whether this is a console of a hypervisor, whose driver B and C need not have: no console at all would be left."""
    return (name == "console" and value.startswith(("hvc", "xvc"))) or (name == "earlyprintk" and value.startswith("xen"))
