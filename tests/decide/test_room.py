"""A place between the likely and the largest image: taken, with words; below that, refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from khib_tui.decide import room
from khib_tui.decide.choice import decide, image_limit
from khib_tui.decide.region import choose, system_ram
from khib_tui.decide.target import refusals
from khib_tui.errors import Refused
from khib_tui.events.types import Finding, Severity
from khib_tui.model.machine import Machine
from khib_tui.model.settings import Settings
from khib_tui.model.target import Target
from khib_tui.model.units import MIB
from tests.kit.machines import BIOS, changed

PLACE = Target("/dev/vdb1")
FREE = 600 * MIB
MOST = image_limit(choose(BIOS, BIOS.kernels[0]))


def machine(size: int, **fields: Any) -> Machine:
    return changed(msgspec.structs.replace(BIOS, **{"mem_free": FREE, **fields}), "vdb1", size=size)


def likely() -> int:
    return room.image_bytes(system_ram(BIOS.iomem).total - FREE)


def warnings(size: int) -> list[Finding]:
    found = decide(machine(size), Settings(target=str(PLACE))).findings
    return [item for item in found if item.ident == "HIB-W-TARGET-TIGHT"]


def test_what_is_used_now_counts_and_is_never_more_than_the_most() -> None:
    assert room.likely(machine(MOST), MOST) == likely() < MOST
    assert room.likely(machine(MOST, mem_free=1), MOST) == MOST
    assert room.likely(machine(MOST, mem_free=1 << 60), MOST) == room.image_bytes(0)


@pytest.mark.parametrize("fields", [{"mem_free": 0}, {"page_poison": True}])
def test_where_free_pages_are_unknown_or_saved_the_most_is_needed(fields: dict[str, Any]) -> None:
    assert room.likely(machine(MOST, **fields), MOST) == MOST
    (found,) = refusals(machine(MOST - 1, **fields), PLACE, MOST)
    assert found.ident == "HIB-E-TARGET-SMALL"


@pytest.mark.parametrize("size", [likely(), MOST - 1])
def test_a_place_between_is_taken_with_words(size: int) -> None:
    assert refusals(machine(size), PLACE, MOST) == []
    (found,) = warnings(size)
    assert found.severity is Severity.WARNING and "the session comes back" in found.why and found.fix


def test_a_place_for_the_most_needs_no_words() -> None:
    assert warnings(MOST) == []


def test_a_place_below_what_is_likely_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        warnings(likely() - 1)
    assert caught.value.ident == "HIB-E-TARGET-SMALL"


def test_more_used_memory_at_the_next_hibernation_is_found_out() -> None:
    assert refusals(machine(likely()), PLACE, MOST) == []
    (found,) = refusals(machine(likely(), mem_free=FREE - MIB), PLACE, MOST)
    assert found.ident == "HIB-E-TARGET-SMALL"


@pytest.mark.parametrize("target", [Target("/dev/vdb1", "/h.khib"), Target("/dev/vdb1", "/h.khib", own=True)])
def test_a_file_is_made_for_the_most(target: Target) -> None:
    assert room.needed(machine(MOST), target, MOST) == MOST
    assert room.tight(machine(MOST - 1), target, MOST) == []
