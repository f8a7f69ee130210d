"""What a kernel is fit for: to be A, or to be B and C."""

from __future__ import annotations

import re

from khib_tui.decide.findings import verdict
from khib_tui.events.types import Finding, Severity
from khib_tui.i18n import N_, _
from khib_tui.model.machine import KernelFile, Machine

OLDEST = (6, 1)
"""The first release that is supported, for A as for B and C; README.md says the same."""
OLDEST_TEXT = ".".join(map(str, OLDEST))
# What B and C need; the jump back is a plain kexec_load(2), so not KEXEC_JUMP.
SAVER_OPTIONS = {
    "X86_64": N_("is not for x86_64"),
    "RELOCATABLE": N_("cannot run at another address"),
    "DEVMEM": N_("has no /dev/mem to reach the sleeping system's memory"),
    "KEXEC": N_("has no kexec_load, which jumps back"),
    "BLK_DEV_INITRD": N_("cannot start from an initramfs"),
}
A_OPTIONS = {
    "KEXEC": N_("it cannot load the saver by kexec_load"),
    "KEXEC_JUMP": N_("it cannot jump to the saver and come back"),
    "HIBERNATION": N_("its drivers have no code to freeze and thaw devices"),
}
_FIX = N_("install a kernel that has it (those of Ubuntu, Fedora and Arch do), or rebuild this one with it")
_BUILD = N_("`khib kernels build` makes this kernel with it, as a package to install")


def too_old(release: str) -> bool:
    """Return whether a release is older than what is supported; what is no number is not judged."""
    version = re.match(r"(\d{1,9})\.(\d{1,9})", release)
    return version is not None and (int(version[1]), int(version[2])) < OLDEST


def unfit_as_saver(kernel: KernelFile) -> list[str]:
    """Return why a kernel cannot be B and C; empty if it can, or if only its configuration could tell and is unknown."""
    header = {"X86_64": kernel.kernel_64, "RELOCATABLE": kernel.relocatable}
    known = kernel.config or dict.fromkeys(SAVER_OPTIONS, "y")
    missing = [name for name in SAVER_OPTIONS if known.get(name) != "y" or not header.get(name, True)]
    old = [_("it is older than Linux {oldest}").format(oldest=OLDEST_TEXT)] if too_old(kernel.release) else []
    return [
        *old,
        *(_("it {reason} (CONFIG_{name})").format(reason=_(SAVER_OPTIONS[name]), name=name) for name in missing),
    ]


def unfit_as_a(machine: Machine) -> list[Finding]:
    """Judge the running kernel: its release, then one finding for each option that A needs, `ok` ones too."""
    return [
        _release(machine),
        _option(machine, "KEXEC", "HIB-E-KEXEC"),
        _option(machine, "KEXEC_JUMP", "HIB-E-KEXEC-JUMP"),
        _option(machine, "HIBERNATION", "HIB-E-HIBERNATION"),
    ]


def _release(machine: Machine) -> Finding:
    what = _("the running kernel {release} is older than Linux {oldest}").format(release=machine.release, oldest=OLDEST_TEXT)
    why = _("nobody has tried the way back to it")
    ok = _("the running kernel {release} is supported").format(release=machine.release)
    return verdict("HIB-E-OLD-KERNEL", not too_old(machine.release), ok, what, why, _("install and boot a newer kernel"))


def _option(machine: Machine, name: str, ident: str) -> Finding:
    why = A_OPTIONS[name]
    kernel = _("the running kernel {release}").format(release=machine.release)
    if not machine.config:
        what = _("it is unknown whether {kernel} has CONFIG_{name}").format(kernel=kernel, name=name)
        return Finding(
            ident,
            Severity.WARNING,
            what,
            _("without it, {why}").format(why=why),
            _("look for CONFIG_{name}=y in its configuration").format(name=name),
        )
    if machine.config.get(name) == "y":
        return Finding(ident, Severity.OK, _("{kernel} has CONFIG_{name}").format(kernel=kernel, name=name))
    fix = _(_BUILD) if name == "KEXEC_JUMP" and " Debian " in machine.version else _(_FIX)
    return Finding(ident, Severity.BLOCKER, _("{kernel} has no CONFIG_{name}").format(kernel=kernel, name=name), why, fix)
