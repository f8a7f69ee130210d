"""Regions that are not one piece from 16 MiB up: they are chosen, loaded, lived in and come back from."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.events.types import Failure, Result
from khib_tui.lab.cycle import Session
from khib_tui.lab.setup import prepare
from khib_tui.model.units import MIB, PAGE
from tests.kit.lab_kit import options, print_event

pytestmark = pytest.mark.lab
# What memtest86+ tells to leave out; more than the segments of kexec_load(2).
BAD = tuple(64 * MIB + number * 8 * MIB + number * PAGE for number in range(14))


def machine(directory: Path, *bad: int) -> Session:
    """A, with single pages that it does not use."""
    session = Session(prepare(options(), directory, print_event), print_event)
    session.boot_a(" ".join(f"memmap=4K${page:#x}" for page in bad))
    session.ask("fill", percent=40, shadow=session.lab.shadow)
    session.ask("remember", deep=False)
    return session


def region(session: Session) -> list[list[int]]:
    """The region that A would choose."""
    code, events = session.run("plan")
    assert code == 0 and isinstance(events[-1], Result), events[-1]
    spans: list[list[int]] = events[-1].data["region"]
    return spans


def test_a_system_with_bad_pages_comes_back_from_its_image(tmp_path: Path) -> None:
    session = machine(tmp_path, *BAD)
    try:
        spans = region(session)
        assert not [page for page in BAD for start, end in spans if start <= page < end]
        assert 2 < len(spans) <= 11
        session.hibernate()
        session.resume()
        assert session.ask("check", deep=False)["intact"]
    finally:
        session.end()


def test_the_saver_starts_behind_a_hole(tmp_path: Path) -> None:
    session = machine(tmp_path, 20 * MIB)
    try:
        assert next(start for start, _ in region(session) if start >= MIB) == 20 * MIB + 2 * MIB
        code, events = session.run("rehearse")
        assert code == 0, [event for event in events if isinstance(event, Failure)]
        assert session.ask("check", deep=False)["intact"]
    finally:
        session.end()
