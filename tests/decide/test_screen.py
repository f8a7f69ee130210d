"""What B draws with, and what is told before the jump where it cannot."""

from __future__ import annotations

import msgspec
import pytest

from khib_tui.decide import region
from khib_tui.decide.choice import judge
from khib_tui.decide.screen import Screen, finding, screen
from khib_tui.model.machine import Display, Machine
from khib_tui.model.settings import Settings
from khib_tui.model.units import MIB
from tests.kit.machines import BIOS

INTEL = Display("i915", "pci:v00008086d*", ())


def machine(display: Display, taken: int) -> Machine:
    kernel = msgspec.structs.replace(BIOS.kernels[0], display_bytes=taken)
    return msgspec.structs.replace(BIOS, display=display, kernels=(kernel, *BIOS.kernels[1:]))


def found(display: Display, taken: int, wanted: int = 0) -> tuple[Screen, list[str]]:
    here = machine(display, taken)
    kernel = here.kernels[0]
    chosen = region.choose(here, kernel, wanted)
    return screen(here, kernel, chosen), [item.what for item in finding(here, kernel, chosen)]


def test_the_firmwares_framebuffer_needs_nothing() -> None:
    assert found(Display(), 0) == (Screen(), [])


def test_a_driver_with_room_is_taken() -> None:
    assert found(INTEL, 14 * MIB, 320 * MIB) == (Screen("i915"), [])


@pytest.mark.parametrize(
    ("display", "taken", "why"),
    [
        (INTEL, 900 * MIB, "--region"), (INTEL, 0, "no module"), (Display("amdgpu"), 20 * MIB, "firmware"),
        (Display("nvidia"), MIB, "cannot"),
    ],
)  # fmt: skip
def test_else_the_dark_screen_is_told_before(display: Display, taken: int, why: str) -> None:
    shown, told = found(display, taken, 320 * MIB)
    assert not shown.module and why in shown.dark
    assert len(told) == 1 and told[0].startswith("the screen stays dark while saving, for about ")
    idents = [item.ident for item in judge(machine(display, taken), Settings(region=320 * MIB))]
    assert "HIB-W-SCREEN-DARK" in idents
