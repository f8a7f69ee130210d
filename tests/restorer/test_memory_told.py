"""B and C tell how much of their memory was left, for a region that is too small is seen nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.events.types import Event, Message
from khib_tui.handover.handover import Mode
from tests.kit.tiny import End, Tiny


def test_both_tell_what_was_free_at_the_lowest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = Tiny(tmp_path)
    tiny.patch(monkeypatch)
    said: list[Event] = []
    tiny.b(Mode.SAVE, said.append)
    assert tiny.c(said.append)[0] is End.BACK
    texts = [event.text for event in said if isinstance(event, Message) and event.text.startswith("memory of the ")]
    assert [text.split()[3] for text in texts] == ["saver:", "restorer:"] and all(
        "free at its lowest" in text for text in texts
    )
