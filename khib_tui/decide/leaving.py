"""Whether the machine can be left as the user chose, once the image is complete."""

from __future__ import annotations

from khib_tui.events.types import Finding, Severity
from khib_tui.i18n import _
from khib_tui.model import wake
from khib_tui.model.choices import After
from khib_tui.model.machine import KernelFile, Machine
from khib_tui.model.settings import Settings


def judge(machine: Machine, settings: Settings, kernel: KernelFile) -> list[Finding]:
    """Judge it, as far as there is something to judge; the saver's kernel is asked where its configuration is known.

    :raises UsageError: the time to wake at is none.
    """
    if settings.wake:
        wake.seconds(settings.wake, 0)
    match settings.after:
        case After.HYBRID:
            return [_hybrid(machine, kernel)]
        case After.PLATFORM:
            return [_platform(machine, kernel)]
    return []


def _hybrid(machine: Machine, kernel: KernelFile) -> Finding:
    ident, other = "HIB-E-SUSPEND", _("choose another end: --after poweroff")
    if not machine.suspend:
        why = _("neither kernel nor firmware offer it (/sys/power/state)")
        return Finding(ident, Severity.BLOCKER, _("this machine cannot suspend to RAM"), why, other)
    if kernel.config and kernel.config.get("SUSPEND") != "y":
        what = _("kernel {release} cannot suspend to RAM").format(release=kernel.release)
        return Finding(ident, Severity.BLOCKER, what, _("it is the saver that falls asleep (CONFIG_SUSPEND)"), other)
    if machine.suspend != "deep":
        why = _("its firmware has no S3, and the saver has no drivers that save power: the battery may last hours only")
        fix = _("look for S3 or 'Linux sleep' in the firmware's settings; from an empty battery the image resumes")
        return Finding(ident, Severity.WARNING, _("this machine sleeps lightly only (s2idle)"), why, fix)
    return Finding(ident, Severity.OK, _("this machine can suspend to RAM (S3)"))


def _platform(machine: Machine, kernel: KernelFile) -> Finding:
    ident, fix = "HIB-E-S4", _("nothing to do, or choose --after poweroff")
    why = _("the machine will be powered off plainly, which resumes as well")
    if not machine.platform_sleep:
        return Finding(ident, Severity.WARNING, _("the firmware has no ACPI S4, or this kernel does not use it"), why, fix)
    if kernel.config and kernel.config.get("HIBERNATION_SNAPSHOT_DEV") != "y":
        what = _("kernel {release} cannot enter ACPI S4 (CONFIG_HIBERNATION_SNAPSHOT_DEV)").format(release=kernel.release)
        return Finding(ident, Severity.WARNING, what, why, fix)
    return Finding(ident, Severity.OK, _("the firmware has ACPI S4"))
