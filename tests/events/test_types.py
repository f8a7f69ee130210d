"""Every event, as a line of JSON."""

from __future__ import annotations

import pytest

from khib_tui.events.types import (
    Event,
    decode,
    encode,
)
from tests.kit.events import EVENTS


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_survives_its_json_line(event: Event) -> None:
    line = encode(event)
    assert b"\n" not in line and decode(line) == event
