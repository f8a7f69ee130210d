"""The memory as a bar, and the restorer's parameters in words."""

from __future__ import annotations

import pytest

from khib_tui.decide import region
from khib_tui.decide.region import Region
from khib_tui.model.machine import Machine
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import GIB, MIB
from screens.wizard.rambar import cells, meaning
from tests.kit.machines import BIOS, LAPTOP, UEFI


def test_the_bar_shows_region_kernel_memory_and_hole() -> None:
    ram = Ranges.of([(0, 4 * MIB), (6 * MIB, 10 * MIB)])
    own = Ranges.of([(2 * MIB, 3 * MIB)])
    assert cells(Region(ram, own), Ranges.of([(8 * MIB, 9 * MIB)]), 10) == "..#.  ..K."


def test_a_region_smaller_than_a_character_still_shows() -> None:
    ram = Ranges.of([(0, 512 * GIB)])
    assert cells(Region(ram, Ranges.of([(16 * MIB, 17 * MIB)])), Ranges(), 20) == "#" + "." * 19


@pytest.mark.parametrize("machine", [BIOS, UEFI, LAPTOP], ids=lambda machine: machine.release)
def test_every_word_of_every_machine_has_a_meaning(machine: Machine) -> None:
    words = region.memmap_words(machine, region.choose(machine, machine.kernels[0]))
    assert all(meaning(word).startswith(("memory to use", "to be left alone")) for word in words[1:])
    assert meaning(words[0]) == "use no memory but what follows"


def test_a_word_says_where_and_how_much() -> None:
    assert meaning("memmap=0x9e000@0x1000") == "memory to use: 632.0 KiB from 4.0 KiB upwards, for the start of its processors"
    assert meaning("memmap=0xb000000@0x1000000") == "memory to use: 176.0 MiB from 16.0 MiB upwards"
    assert meaning("memmap=0x1000%0x0+2") == "to be left alone: 4.0 KiB from 0 bytes upwards"
