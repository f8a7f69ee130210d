"""Whether a normal start of A beside a waiting image can be guarded, and which device the guard looks at."""

from __future__ import annotations

import re

from khib_tui.events.types import Finding, Severity
from khib_tui.i18n import N_, _
from khib_tui.model import target as targets
from khib_tui.model.machine import Machine
from khib_tui.model.target import Kind, Target

GUARD = "HIB-W-GUARD"
LOST = N_("started so, the hibernated session is lost; the image is refused then, since the disks have changed")
_PARTUUID = re.compile(r"[0-9a-f-]+")


def guarded_partition(machine: Machine, target: Target | None) -> str:
    """Return the PARTUUID that the guard finds the image by, '' where there is nothing that it could look at."""
    device = targets.under(machine.devices, target) if target and target.kind is not Kind.FILE else None
    found = device.partuuid.lower() if device else ""
    return found if _PARTUUID.fullmatch(found) else ""


def judge(machine: Machine, target: Target) -> Finding:
    """Judge what happens if this system is started normally while an image waits."""
    if not machine.initramfs_maker and not machine.systemd:
        what = _("no guard is installed: this system has neither initramfs-tools nor dracut nor systemd")
        return Finding(GUARD, Severity.OK, what, _(LOST))
    if not guarded_partition(machine, target):
        what = _("the guard of normal starts cannot look at this target")
        why = _("it reads no filesystem, only a partition that has a PARTUUID; {lost}").format(lost=_(LOST))
        return Finding(GUARD, Severity.WARNING, what, why, _("give the image a partition of its own"))
    if not machine.initramfs_maker:
        what = _(
            "a normal start while an image waits is noticed, but not asked about: there is no initramfs-tools and no dracut"
        )
        return Finding(GUARD, Severity.OK, what, _("the image is given up then"))
    return Finding(
        GUARD,
        Severity.OK,
        _("a normal start while an image waits will be asked about ({maker})").format(maker=machine.initramfs_maker),
    )
