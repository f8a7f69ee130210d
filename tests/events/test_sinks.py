"""Events as plain lines."""

from __future__ import annotations

import io

from khib_tui.events.sinks import PlainSink
from tests.kit.events import EVENTS


def test_plain_lines_say_severity_cause_and_next_step() -> None:
    stream = io.StringIO()
    sink = PlainSink(stream)
    for event in EVENTS:
        sink(event)
    text = stream.getvalue()
    assert "[STOP] what" in text and "-> fix" in text and "error: no [HIB-E-X]" in text and "(hint) then" in text
    assert "save failed: reason" in text
