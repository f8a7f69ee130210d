"""The screen of C without its work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from khib_tui.errors import Refused
from khib_tui.events.types import Event
from khib_tui.facts import blockdev
from khib_tui.handover.cmdline import Words
from khib_tui.image.header import Header, State
from khib_tui.model.identity import DeviceKey, TargetRef
from khib_tui.restorer import run as kernel_c
from khib_tui.target import catalog
from khib_tui.target.catalog import Found
from screens.restore import found as found_page
from screens.restore.run import run_restore
from tests.kit.screens_kit import DrivenScreen, facts

SHELL = ("< Retry", ["right", "enter"])


class Cycle:
    """Stands for the work of C: which images there are, what was resumed, what was told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, places: Sequence[str]) -> None:
        self.images = [image(place) for place in places]
        self.resumed: list[str] = []
        self.events: list[Event] = []
        self.error: Exception = Refused("the disks have changed", hint="boot normally", ident="HIB-E-DISKS")
        monkeypatch.setattr(blockdev, "devices", lambda *_: facts().devices)
        monkeypatch.setattr(catalog, "search", lambda *_: self.images)
        monkeypatch.setattr(catalog, "find", self.find)
        monkeypatch.setattr(kernel_c, "work", self.work)
        monkeypatch.setattr(found_page, "TICK", 0.01)

    def find(self, wanted: str, word: str, told: Callable[[str], None]) -> Any:
        return facts().devices, catalog.choose(self.images, wanted)

    def work(self, devices: Any, found: Found, sink: Any, stop: Any) -> None:
        self.resumed.append(found.where)
        raise self.error

    def run(self, countdown: int, *script: tuple[str, list[str]], wanted: str = "") -> DrivenScreen:
        screen = DrivenScreen(script)
        self.code = run_restore(wanted, Words(countdown=countdown), self.events.append, screen=screen)
        assert not screen.script, f"never shown: {screen.script}"
        return screen


def image(place: str, state: State = State.COMPLETE) -> Found:
    header = Header(f"id-{place}", state, 3, 1.7e9, "laptop", "6.1", 16 << 30, 2 << 30)
    return Found(TargetRef(DeviceKey("d", len(place), 1, "s")), place, header)
