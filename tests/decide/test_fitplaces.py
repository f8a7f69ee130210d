"""Which places `check` names while none is chosen, and what it says where there is none."""

from __future__ import annotations

import msgspec

from khib_tui.decide import fitplaces
from khib_tui.decide.choice import judge
from khib_tui.events.types import Severity
from khib_tui.model.settings import Settings
from khib_tui.model.units import GIB
from tests.kit.machines import BIOS, LAPTOP, changed


def test_the_places_that_fit_are_named_with_what_is_done_to_each() -> None:
    found = fitplaces.finding(LAPTOP, GIB)
    assert found.severity is Severity.OK
    for name in ("/dev/nvme0n1p4 (overwritten whole)", "swap:/dev/dm-2 (lent: swapped off", "file:/hibernate.khib (made in"):
        assert name in found.what
    assert "/dev/nvme0n1p1" not in found.what


def test_where_nothing_fits_the_ways_out_are_named() -> None:
    found = fitplaces.finding(msgspec.structs.replace(BIOS, devices=()), GIB)
    assert found.severity is Severity.WARNING and "swap larger" in found.fix


def test_check_says_so_only_while_no_place_is_chosen() -> None:
    machine = changed(LAPTOP, "dm-2", size=64 * GIB)
    assert [item.what.count("swap:") for item in judge(machine, Settings()) if item.ident == fitplaces.IDENT] == [1]
    assert not [item for item in judge(machine, Settings(target="swap")) if item.ident == fitplaces.IDENT]
