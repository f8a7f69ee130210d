"""Whether the screen shows anything while B saves."""

from __future__ import annotations

import msgspec

from khib_tui.decide.region import Region, proposed
from khib_tui.events.types import Finding, Severity
from khib_tui.i18n import N_, _
from khib_tui.model.machine import KernelFile, Machine
from khib_tui.model.units import MIB, duration, size

# Without its firmware there is no picture, and the kernel's log does not always name what was loaded.
_NEEDS_FIRMWARE = frozenset({"amdgpu", "radeon"})
_NEVER = {"nvidia": N_("B cannot have its driver"), "nvidia_drm": N_("B cannot have its driver")}
# A framebuffer, and what the driver takes for itself.
DRAWING = 16 * MIB
# As slowly as images are written to a disk of today, in bytes a second.
_SLOW = 150 * MIB


class Screen(msgspec.Struct, frozen=True):
    """The module that B drives the screen with, empty for none; `dark` is why it shows nothing, empty if it does."""

    module: str = ""
    dark: str = ""


def screen(machine: Machine, kernel: KernelFile, region: Region) -> Screen:
    """Decide what B draws with: the firmware's framebuffer where A does, else A's driver if there is room for it."""
    name = machine.display.module
    if not name:
        return Screen()
    if name in _NEVER:
        return Screen(dark=_(_NEVER[name]))
    if not kernel.display_bytes:
        return Screen(dark=_("kernel {release} has no module for it").format(release=kernel.release))
    if name in _NEEDS_FIRMWARE and not machine.display.firmware:
        return Screen(dark=_("the kernel's log does not tell which firmware it was given"))
    needed = proposed(kernel.init_size, machine.cpu.count) + kernel.display_bytes + DRAWING
    if needed > region.own.total:
        return Screen(dark=_("its driver needs a region of {size} (--region)").format(size=size(needed)))
    return Screen(module=name)


def finding(machine: Machine, kernel: KernelFile, region: Region) -> list[Finding]:
    """Return what is to be known of it: a dark screen is told before the jump."""
    found = screen(machine, kernel, region)
    if not found.dark:
        return []
    seconds = max(5.0, (machine.mem_total - machine.mem_available) / _SLOW)
    return [
        Finding(
            "HIB-W-SCREEN-DARK",
            Severity.WARNING,
            _("the screen stays dark while saving, for about {duration}").format(duration=duration(seconds)),
            _("{module} drives it, and {dark}").format(module=machine.display.module, dark=found.dark),
            _("wait; Esc breaks off and comes back, unseen too"),
        )
    ]
