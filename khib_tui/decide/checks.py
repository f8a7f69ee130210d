"""Whether this machine can hibernate: a pure function of its facts; each answer says what, why and what to do.

Room for the region is `region`'s to judge, the place of the image `targets`'.
"""

from __future__ import annotations

from khib_tui.decide.findings import verdict
from khib_tui.decide.kernel import unfit_as_a, unfit_as_saver
from khib_tui.decide.memory import check_memory
from khib_tui.decide.watchdog import check_watchdogs
from khib_tui.events.types import Finding, Severity
from khib_tui.i18n import N_, _
from khib_tui.model import cmdline
from khib_tui.model.machine import Machine
from khib_tui.model.text import clean

BATTERY_WARNING = 10.0
BATTERY_BLOCKER = 3.0
_REBUILD = N_("choose another kernel: those of Ubuntu, Fedora and Arch have it")


def check(machine: Machine) -> list[Finding]:
    """Judge a machine; findings come in the order a person should deal with them, `ok` ones included."""
    return [
        _root(machine),
        _arch(machine),
        _lockdown(machine),
        *unfit_as_a(machine),
        _kexec_disabled(machine),
        _devmem(machine),
        _encryption(machine),
        *check_memory(machine),
        _root_pointer(machine),
        _symbols(machine),
        _kcore(machine),
        _saver_kernel(machine),
        _page_poison(machine),
        _kexec_loaded(machine),
        *check_watchdogs(machine),
        _battery(machine),
    ]


def _root(machine: Machine) -> Finding:
    why = _("only root may read the memory map and load a kernel")
    return verdict("HIB-E-ROOT", machine.root, _("running as root"), _("not running as root"), why, _("run it again with sudo"))


def _arch(machine: Machine) -> Finding:
    good, what = machine.arch == "x86_64", _("this is a machine of type {arch}").format(arch=machine.arch or _("unknown"))
    why = _("the way back is written for x86_64")
    return verdict("HIB-E-ARCH", good, _("this is an x86_64 machine"), what, why, _("use an x86_64 machine"))


def _lockdown(machine: Machine) -> Finding:
    good = machine.lockdown in ("", "none")
    form = _("the kernel is locked down ({lockdown})")
    if machine.secure_boot:
        form = _("the kernel is locked down ({lockdown}) because Secure Boot is on")
    what = form.format(lockdown=machine.lockdown)
    why = _("lockdown forbids kexec_load and /dev/mem, even to root")
    return verdict("HIB-E-LOCKDOWN", good, _("the kernel is not locked down"), what, why, _way_out(machine))


def _way_out(machine: Machine) -> str:
    """Return how the lockdown ends: what caused it decides; it can be lifted by a restart only."""
    if machine.secure_boot:
        return _(
            "switch Secure Boot off in the firmware settings, or leave it on for the boot loader alone: `mokutil "
            "--disable-validation`, restart and confirm in the blue screen; signing khib or its kernels does not "
            "help"
        )
    if cmdline.value(machine.cmdline, "lockdown"):
        return _("take lockdown= out of the kernel parameters (/etc/default/grub, then update-grub), and restart")
    return _("boot a kernel whose configuration does not force it, and let nothing write to /sys/kernel/security/lockdown")


def _kexec_disabled(machine: Machine) -> Finding:
    why = _("no kernel can be loaded until the next boot")
    fix = _("remove kernel.kexec_load_disabled=1 from /etc/sysctl.d or /usr/lib/sysctl.d, then reboot")
    what = _("kernel.kexec_load_disabled is set")
    return verdict("HIB-E-KEXEC-DISABLED", not machine.kexec_load_disabled, _("kernels may be loaded"), what, why, fix)


def _devmem(machine: Machine) -> Finding:
    why = _("the saver reads this system's memory there: the running kernel cannot be the saver")
    fix = _("nothing to do if another kernel is fit; else choose one with CONFIG_DEVMEM")
    what, good = _("there is no /dev/mem"), machine.devmem
    return verdict("HIB-E-DEVMEM", good, _("/dev/mem is there"), what, why, fix, severity=Severity.WARNING)


def _encryption(machine: Machine) -> Finding:
    kind = machine.memory_encryption
    why = _("memory copied page by page would be read with the wrong key after a restart")
    fix = _("boot with mem_encrypt=off") if kind == "SME" else _("use a machine without it")
    return verdict(
        "HIB-E-ENCRYPTED", not kind, _("memory is not encrypted"), _("memory is encrypted ({kind})").format(kind=kind), why, fix
    )


def _root_pointer(machine: Machine) -> Finding:
    """Judge whether B, which has no EFI, will find the ACPI tables; on a BIOS machine it finds them by itself."""
    without_acpi = cmdline.value(machine.cmdline, "acpi") == "off"
    good = not machine.uefi or machine.root_pointer != 0 or without_acpi
    what = _("it is unknown where this firmware has its ACPI tables")
    why = _("the saver has no EFI to ask: without ACPI it finds neither disks nor processors")
    fix = _("restart with acpi_rsdp= and the address that `dmesg` shows behind `ACPI: RSDP`")
    return verdict("HIB-E-RSDP", good, _("the saver will find the ACPI tables"), what, why, fix)


def _symbols(machine: Machine) -> Finding:
    why = _("the way back needs the address of this kernel's descriptor table (GDT)")
    fix = _("run as root, set kernel.kptr_restrict to 0 or 1, and use a kernel with CONFIG_KALLSYMS_ALL")
    what = _("/proc/kallsyms does not show gdt_page")
    return verdict("HIB-E-KALLSYMS", machine.kallsyms, _("kernel symbols have addresses"), what, why, fix)


def _kcore(machine: Machine) -> Finding:
    why = _("the way back needs the content of this kernel's descriptor table (GDT)")
    fix = _("{rebuild} (CONFIG_PROC_KCORE)").format(rebuild=_(_REBUILD))
    return verdict("HIB-E-KCORE", machine.kcore, _("/proc/kcore is there"), _("there is no /proc/kcore"), why, fix)


def _saver_kernel(machine: Machine) -> Finding:
    ident = "HIB-E-NO-KERNEL"
    judged = [(kernel, unfit_as_saver(kernel)) for kernel in machine.kernels]
    fit = [kernel for kernel, reasons in judged if not reasons]
    known = [kernel.release for kernel in fit if kernel.config]
    if known:
        return Finding(ident, Severity.OK, _("kernel {known} can save and restore").format(known=known[0]))
    if fit:
        what = _("it is unknown how kernel {release} was configured").format(release=fit[0].release)
        why = _("saving and restoring needs ") + ", ".join(f"CONFIG_{name}" for name in ("DEVMEM", "KEXEC", "BLK_DEV_INITRD"))
        return Finding(
            ident,
            Severity.WARNING,
            what,
            why,
            _("put its configuration at /boot/config-{release}").format(release=fit[0].release),
        )
    why, fix = (
        _("there is none in /boot, on the EFI system partition or beside the modules"),
        _("install a distribution kernel"),
    )
    if machine.unified_kernels:
        why = _("there are only unified kernel images, which cannot be loaded: {files}").format(
            files=clean(", ".join(machine.unified_kernels[:3]))
        )
        fix = _("install the kernel as a plain file too, or name one: --kernel FILE")
    if judged:
        why = "; ".join(f"{kernel.release}: {reasons[0]}" for kernel, reasons in judged[:3])
    return Finding(
        ident, Severity.BLOCKER, _("no kernel can save and restore"), why, _("{fix}, or mount /boot").format(fix=fix)
    )


def _page_poison(machine: Machine) -> Finding:
    why = _("free pages cannot be left out of the image, which makes it as large as the memory")
    fix = _("boot without page_poison= unless you are looking for a defect")
    what = _("the kernel fills free pages with a pattern")
    good = not machine.page_poison
    return verdict("HIB-E-PAGE-POISON", good, _("free pages hold no pattern"), what, why, fix, severity=Severity.WARNING)


def _kexec_loaded(machine: Machine) -> Finding:
    why = _("it will be replaced by the saver, so a reboot by kexec will not find it any more")
    fix = _("load it again afterwards, for example by `kexec -l`")
    what, good = _("a kernel is already loaded for kexec"), not machine.kexec_loaded
    return verdict("HIB-E-KEXEC-LOADED", good, _("no kernel is loaded for kexec"), what, why, fix, severity=Severity.WARNING)


def _battery(machine: Machine) -> Finding:
    charge = machine.battery_percent
    if charge is None or machine.on_ac or charge >= BATTERY_WARNING:
        text = (
            _("there is no battery to watch") if charge is None else _("the battery has {charge:.0f} %").format(charge=charge)
        )
        return Finding("HIB-E-BATTERY", Severity.OK, text)
    severity = Severity.BLOCKER if charge < BATTERY_BLOCKER else Severity.WARNING
    why = _("if it runs out while the image is written, this session is lost")
    return Finding(
        "HIB-E-BATTERY", severity, _("the battery has {charge:.0f} % left").format(charge=charge), why, _("plug the machine in")
    )
