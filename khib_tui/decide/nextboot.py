"""How C is started the next time, and only then, without a hand at the boot menu. Pure.

The order: what the boot loader promises, what the firmware promises, what GRUB reads from the image, and at last what GRUB
keeps in a file of A's, which it has to write to while A sleeps.
"""

from __future__ import annotations

from enum import StrEnum

from khib_tui.decide.bootloader import firmware, grub_place, one_shot
from khib_tui.events.types import Finding, Severity
from khib_tui.i18n import N_, _
from khib_tui.model.boot import Loader, LoaderKind
from khib_tui.model.machine import Machine
from khib_tui.model.target import Target

IDENT = "HIB-W-NEXT-BOOT"


class OneShot(StrEnum):
    """By what C is the next to be started."""

    LOADER = "LoaderEntryOneShot"
    FIRMWARE = "BootNext"
    IMAGE = N_("the image's own state")
    GRUBENV = "next_entry"
    HAND = N_("a hand at the boot menu")


def choose(machine: Machine, loader: Loader, target: Target | None) -> OneShot:
    """Return the first of them that this machine has.

    :param target: where the image goes: GRUB can look at a partition.
    """
    facts, kind = machine.boot, loader.kind
    if one_shot(machine, loader):
        return OneShot.LOADER
    if facts.efivars and firmware(machine, loader):
        return OneShot.FIRMWARE
    if kind is LoaderKind.GRUB and grub_place(machine, target):
        return OneShot.IMAGE
    if kind in (LoaderKind.GRUB, LoaderKind.GRUB_BLS) and facts.grub and facts.grub_env:
        return OneShot.GRUBENV
    return OneShot.HAND


def finding(machine: Machine, loader: Loader, target: Target | None) -> Finding:
    """Tell whether C starts by itself."""
    way = choose(machine, loader, target)
    if way is not OneShot.HAND:
        return Finding(
            IDENT, Severity.OK, _("the next start after a hibernation is the restorer's, by {way}").format(way=_(way))
        )
    why = _("{kind} cannot be told here which entry comes next: this system would start as usual, beside its image").format(
        kind=loader.kind
    )
    fix = _("choose khib's entry in the boot menu")
    if loader.kind is LoaderKind.GRUB:
        fix = _("choose khib's entry in the boot menu; with a whole partition as target, GRUB finds the image by itself")
    return Finding(IDENT, Severity.WARNING, _("the restorer does not start by itself"), why, fix)
