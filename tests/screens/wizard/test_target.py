"""The page of places for the image."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from khib_tui.decide import region
from khib_tui.decide.choice import image_limit
from khib_tui.decide.target import candidates
from khib_tui.errors import Refused
from khib_tui.model.machine import BlockDevice
from khib_tui.model.units import GIB, MIB
from tests.kit.machines import LAPTOP, changed
from tests.kit.screens_kit import (
    TARGET,
    at,
    at_cursor,
    facts,
    press,
    shown,
    until,
)


@pytest.mark.parametrize("name", ["amd-laptop-ubuntu", "qemu-bios-1g", "qemu-uefi-5g"])
def test_every_place_is_listed_with_the_engines_reason(tmp_path: Path, name: str) -> None:
    here = facts(name)
    wizard = at(tmp_path, TARGET, name, target="")
    wizard.window.loop.screen.size = (200, 60)  # type: ignore[attr-defined]
    wizard.window.redraw()
    text = shown(wizard.window)
    limit = image_limit(region.choose(here, here.kernels[0]))
    for target, findings in candidates(here, limit):
        device = here.device(target.device)
        assert target.device in text and device is not None and device.serial in text
        assert [finding.what for finding in findings if finding.what not in text] == []


def test_a_file_of_this_system_is_a_place_of_its_own(tmp_path: Path) -> None:
    wizard = at(tmp_path, TARGET, target="")
    press(wizard.window, "tab", *"/other.khib")
    press(wizard.window, "up")
    until(wizard.window, "( ) file:/hibernate.khib", "down")
    assert "fit: made in the free room of /dev/vda1" in shown(wizard.window)
    assert "(*) file:/hibernate.khib" in press(wizard.window, "enter")
    until(wizard.window, "Next")
    press(wizard.window, "enter")
    assert wizard.settings.target == "file:/hibernate.khib"


def test_the_file_of_this_system_that_was_chosen_is_marked(tmp_path: Path) -> None:
    assert "(*) file:/hibernate.khib" in shown(at(tmp_path, TARGET, target="file:/hibernate.khib").window)


def test_a_swap_says_what_becomes_of_it_and_is_kept_by_its_uuid(tmp_path: Path) -> None:
    wizard = at(tmp_path, TARGET, changed(LAPTOP, "dm-2", size=20 * GIB, uuid="12ab-cd"), target="")
    wizard.window.loop.screen.size = (160, 60)  # type: ignore[attr-defined]
    wizard.window.redraw()
    until(wizard.window, "( ) swap:/dev/dm-2", "down")
    assert "fit: swap /dev/dm-2 is lent to the image: swapped off" in shown(wizard.window)
    assert "(*) swap:/dev/dm-2" in press(wizard.window, "enter")
    until(wizard.window, "Next")
    press(wizard.window, "enter")
    assert wizard.settings.target == "swap:/dev/disk/by-uuid/12ab-cd"


def test_an_unfit_place_cannot_be_chosen_and_says_why(tmp_path: Path) -> None:
    wizard = at(tmp_path, TARGET, target="")
    assert at_cursor(wizard.window).startswith("( ) /dev/vdb1"), "the first fit place is in focus"
    until(wizard.window, "(-) /dev/vda1", "up")
    text = press(wizard.window, "enter")
    assert "both contents would be destroyed" in text and "(*)" not in text
    until(wizard.window, "Next")
    assert "no place is chosen yet" in press(wizard.window, "enter") and wizard.settings.target == ""


def test_a_file_makes_a_filesystem_fit(tmp_path: Path) -> None:
    wizard = at(tmp_path, TARGET, target="")
    assert "(-) /dev/vdb2" in shown(wizard.window)
    press(wizard.window, "tab", *"/hib.khib")
    assert "( ) /dev/vdb2" in shown(wizard.window) and "(-) /dev/vdb1" in shown(wizard.window)
    press(wizard.window, "up")
    until(wizard.window, "( ) /dev/vdb2", "down")
    press(wizard.window, "enter")
    until(wizard.window, "Next")
    press(wizard.window, "enter")
    assert wizard.settings.target == "/dev/vdb2:/hib.khib"


def test_a_senseless_path_is_refused(tmp_path: Path) -> None:
    wizard = at(tmp_path, TARGET)
    press(wizard.window, "tab", *"/a b")
    until(wizard.window, "Next")
    text = press(wizard.window, "enter")
    assert "is not a valid target" in text and wizard.settings.target == "/dev/vdb1"


def test_a_place_that_no_longer_fits_the_file_is_refused(tmp_path: Path) -> None:
    wizard = at(tmp_path, TARGET)
    press(wizard.window, "tab", *"/hib.khib")
    until(wizard.window, "Next")
    text = press(wizard.window, "enter")
    assert "/dev/vdb1 holds no filesystem" in text and "[HIB-E-TARGET-FILESYSTEM]" in text
    assert "Step 4 of 7" in text and wizard.settings.target == "/dev/vdb1"


def test_help_sign_is_a_letter_in_a_field(tmp_path: Path) -> None:
    wizard = at(tmp_path, TARGET)
    assert "/a?" in press(wizard.window, "tab", *"/a?") and wizard.window.stack.depth == 0


def test_a_file_is_looked_at_before_the_next_page(tmp_path: Path) -> None:
    wizard = at(tmp_path, TARGET, target="/dev/vdb2:/gone/h.khib", region=240 << 20)
    asked: list[tuple[str, str]] = []

    def look(device: BlockDevice, path: str, need_bytes: int) -> None:
        asked.append((device.path, path))
        assert need_bytes
        raise Refused("there is no directory /gone")

    wizard.look = look
    until(wizard.window, "Next")
    text = press(wizard.window, "enter")
    assert asked == [("/dev/vdb2", "/gone/h.khib")] and "no directory /gone" in text
    assert wizard.at == TARGET


def test_a_place_that_is_tight_says_so_in_words(tmp_path: Path) -> None:
    here = facts()
    most = image_limit(region.choose(here, here.kernels[0]))
    devices = tuple(
        msgspec.structs.replace(device, size=most - MIB) if device.path == "/dev/vdb1" else device for device in here.devices
    )
    narrow = msgspec.structs.replace(here, devices=devices, mem_free=500 * MIB)
    wizard = at(tmp_path, TARGET, narrow, target="")
    text = " ".join(shown(wizard.window).split())
    assert "fit, but tight: /dev/vdb1 has" in text and "the session comes back, and is not hibernated" in text
    until(wizard.window, "( ) /dev/vdb1", "down")
    text = " ".join(press(wizard.window, "enter").split())
    assert "takes the image, if it is not more than likely" in text and wizard.window.page is not None
    wide = at(tmp_path, TARGET, msgspec.structs.replace(here, mem_free=500 * MIB), target="")
    assert "tight" not in shown(wide.window)
