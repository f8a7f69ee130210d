"""Whether every page that this system uses would be saved, and would be memory again after a restart."""

from __future__ import annotations

from khib_tui.decide.findings import verdict
from khib_tui.decide.ramdisk import made_of_ram, ram_backed
from khib_tui.decide.region import system_ram
from khib_tui.decide.target import above
from khib_tui.events.types import Finding, Severity
from khib_tui.i18n import _
from khib_tui.model import cmdline
from khib_tui.model.machine import RAM, Machine
from khib_tui.model.units import size


def check_memory(machine: Machine) -> list[Finding]:
    """Judge the memory; findings come in the order a person should deal with them, `ok` ones included."""
    return [
        _xen(machine),
        _balloon(machine),
        _iomem(machine),
        _memmap(machine),
        _added(machine),
        _corrupted(machine),
        _all_seen(machine),
        _ram_disks(machine),
    ]


def _xen(machine: Machine) -> Finding:
    what = _("this system is a Xen domain ({xen})").format(xen=machine.xen)
    if machine.xen == "HVM":
        return Finding(
            "HIB-E-XEN", Severity.WARNING, what, _("its disks may not come back after the jump: nobody has tried it"),
            _("run `khib rehearse` before you rely on it"),
        )  # fmt: skip
    why = _("Xen maps its memory: neither the jump nor physical addresses mean here what they do on a machine")
    fix = _("boot this system without Xen")
    return verdict("HIB-E-XEN", not machine.xen, _("this system is no Xen domain"), what, why, fix)


def _balloon(machine: Machine) -> Finding:
    why = _("the memory map after a restart would not be the one of now")
    fix = _(
        "give this virtual machine a fixed amount of memory: no virtio-mem, no Dynamic Memory, an empty "
        "balloon; on Hyper-V also boot with modprobe.blacklist=hv_balloon"
    )
    what = _("the host adds or takes away memory while this machine runs")
    return verdict("HIB-E-BALLOON", not machine.balloon, _("all memory belongs to this machine"), what, why, fix)


def _iomem(machine: Machine) -> Finding:
    good = any(item.type == RAM for item in machine.iomem)
    why = _("what is to be saved is read from it")
    return verdict(
        "HIB-E-IOMEM", good, _("/proc/iomem is readable"), _("/proc/iomem shows no addresses"), why, _("run it as root")
    )


def _memmap(machine: Machine) -> Finding:
    good = any(item.type == RAM for item in machine.firmware_memmap)
    why = _("the saver gets its memory map from there, and the restorer compares it")
    fix = _("choose another kernel: those of Ubuntu, Fedora and Arch have it (CONFIG_FIRMWARE_MEMMAP)")
    what = _("there is no /sys/firmware/memmap")
    return verdict("HIB-E-FIRMWARE-MEMMAP", good, _("the firmware's memory map is known"), what, why, fix)


def _added(machine: Machine) -> Finding:
    added = sum(item.end - item.start for item in machine.added_ram)
    what = _("{size} of memory was plugged in, and was not in the firmware's memory map at the start").format(size=size(added))
    why = _("it will not be there when the machine is switched on, and what is in it could not be put back")
    fix = _("restart, and see whether it is listed then; in a virtual machine, make it part of the memory, not a module (DIMM)")
    return verdict("HIB-E-ADDED-RAM", not added, _("no memory was plugged in since the start"), what, why, fix)


def _corrupted(machine: Machine) -> Finding:
    what = _("{size} of memory are broken, and the kernel uses them no more").format(size=size(machine.mem_corrupted))
    why = _("the saver reads all memory: the processor would stop it there, and this session would be lost")
    fix = _("restart with memmap=4K$ADDRESS for each broken page (the kernel's log names them), or change the memory module")
    return verdict("HIB-E-BROKEN-MEMORY", not machine.mem_corrupted, _("no memory is known to be broken"), what, why, fix)


def _all_seen(machine: Machine) -> Finding:
    """Compare three accounts of the memory: /proc/iomem at its top level, MemTotal, the firmware's map."""
    ident, ram = "HIB-E-RAM", system_ram(machine.iomem)
    why = _("it would not be saved, and this system could not go on without it")
    if machine.nested_ram:
        amount = size(sum(item.end - item.start for item in machine.nested_ram))
        kinds = ", ".join(sorted({item.type for item in machine.nested_ram}))
        fix = _("take it offline (daxctl offline-memory for CXL and dax devices), or boot without that device")
        return Finding(
            ident,
            Severity.BLOCKER,
            _("{amount} in use are memory of a device: {kinds}").format(amount=amount, kinds=kinds),
            why,
            fix,
        )
    if ram and machine.mem_total > ram.total:
        what = _("{size} are in use, /proc/iomem shows {shown} of System RAM").format(
            size=size(machine.mem_total), shown=size(ram.total)
        )
        fix = _("take memory of CXL, dax and other devices offline; `khib facts` shows what was seen")
        return Finding(ident, Severity.BLOCKER, what, why, fix)
    listed = system_ram(machine.firmware_memmap)
    if listed and (unlisted := ram - listed):
        start, end = unlisted.spans[0]
        what = _("{size} in use are no memory to the firmware, the first at {start:#x}-{end:#x}").format(
            size=size(unlisted.total), start=start, end=end - 1
        )
        fix = _("boot without what adds it: a hypervisor, memmap=...@... or mem= words, add_efi_memmap")
        return Finding(ident, Severity.BLOCKER, what, _("it might be no memory after a restart"), fix)
    return Finding(ident, Severity.OK, _("all memory in use is known"))


def _ram_disks(machine: Machine) -> Finding:
    ident, ranges = "HIB-E-RAM-DISK", ram_backed(machine)
    if not ranges:
        return Finding(ident, Severity.OK, _("no disk is made of memory that is not saved"))
    disks = [device for device in machine.devices if made_of_ram(machine, device)]
    stack = [item for device in disks for item in above(machine.devices, device)]
    used = sorted({item.name for item in stack if item.mounts or item.swap or item.holders})
    words = " ".join(word for word in cmdline.split(machine.cmdline) if cmdline.parameter(word)[0] == "memmap" and "!" in word)
    what = _("{size} of persistent memory is made of RAM{options}").format(
        size=size(ranges.total), options=f" ({words})" if words else ""
    )
    fix = _("boot without {words}, or stop using it before").format(words=words or _("the memmap=...!... word that makes it"))
    if used:
        why = _("it is not saved, and {disks} on it is in use").format(disks=", ".join(used))
        return Finding(ident, Severity.BLOCKER, what, why, fix)
    return Finding(ident, Severity.WARNING, what, _("it is not saved: what is on it is lost when the power goes"), fix)
