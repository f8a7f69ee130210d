"""Whether the screen shows anything while B saves."""

from __future__ import annotations

import msgspec

from khib_tui.decide.region import Region, proposed
from khib_tui.events.types import Finding, Severity
from khib_tui.model.machine import KernelFile, Machine
from khib_tui.model.units import MIB, duration, size

# Without its firmware there is no picture, and the kernel's log does not always name what was loaded.
_NEEDS_FIRMWARE = frozenset({"amdgpu", "radeon"})
_NEVER = {"nvidia": "B cannot have its driver", "nvidia_drm": "B cannot have its driver"}
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
        return Screen(dark=_NEVER[name])
    if not kernel.display_bytes:
        return Screen(dark=f"kernel {kernel.release} has no module for it")
    if name in _NEEDS_FIRMWARE and not machine.display.firmware:
        return Screen(dark="the kernel's log does not tell which firmware it was given")
    needed = proposed(kernel.init_size, machine.cpu.count) + kernel.display_bytes + DRAWING
    if needed > region.own.total:
        return Screen(dark=f"its driver needs a region of {size(needed)} (--region)")
    return Screen(module=name)


def finding(machine: Machine, kernel: KernelFile, region: Region) -> list[Finding]:
    """Return what is to be known of it: a dark screen is told before the jump."""
    found = screen(machine, kernel, region)
    if not found.dark:
        return []
    seconds = max(5.0, (machine.mem_total - machine.mem_available) / _SLOW)
    return [
        Finding(
            "HIB-W-SCREEN-DARK", Severity.WARNING,
            f"the screen stays dark while saving, for about {duration(seconds)}",
            f"{machine.display.module} drives it, and {found.dark}", "wait; Esc breaks off and comes back, unseen too",
        )
    ]  # fmt: skip
