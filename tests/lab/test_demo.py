"""What the demonstration says of what it saw."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from khib_tui.events.types import Event, Message
from khib_tui.lab.cycle import Session
from khib_tui.lab.demo import started_normally


@pytest.mark.parametrize(
    ("seen", "wrong"),
    [([], []), ([Message("no image")], ["what started next"])],
)
def test_a_restorer_that_starts_after_a_cancelled_hibernation_is_noticed(seen: list[Event], wrong: list[str]) -> None:
    done: list[str] = []
    machine: Any = SimpleNamespace(
        running=SimpleNamespace(seen=seen), boot_a=lambda: done.append("on"), power_off=lambda: done.append("off")
    )
    assert started_normally(cast("Session", machine)) == wrong
    assert done == ["on", "off"]
