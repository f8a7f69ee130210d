"""B and C in German: by lines and on their screens, from the catalogue in their initramfs; the events stay what they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from khib_tui.events.types import Failure, Result
from khib_tui.lab.cycle import SETTINGS, Session
from tests.kit.lab_kit import Console, started

pytestmark = [pytest.mark.lab, pytest.mark.long]

CHOICES = "/var/tmp/german.toml"
SCREENS = {"khib.ui=plain": "khib.term=linux", "khib.countdown=0": "khib.countdown=30"}
ESCAPE, RIGHT, ENTER = b"\x1b", b"\x1b[C", b"\r"


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("LANGUAGE", "de")  # its texts are packed
    with started(tmp_path, fill=30) as made:
        script = f"""grep -v ^options {SETTINGS} >{CHOICES}; echo 'options = "khib.lang=de"' >>{CHOICES}"""
        made.program("sh", "-c", script)
        made.settings = CHOICES
        yield made


def test_saver_and_restorer_speak_german(session: Session) -> None:
    console = Console(session)
    code, events = session.run("rehearse")
    assert code == 0 and isinstance(events[-1], Result) and events[-1].data["outcome"] == "rehearsed"
    console.wait("Platten und Partitionen sind schreibgeschützt".encode())
    session.hibernate()
    session.note_disks()
    session.boot(session.lab.boot_c(SCREENS))
    console, result = Console(session), None
    console.answer(b"Diese Sitzung kann fortgesetzt werden:", ESCAPE)
    console.answer(b"Der Countdown", ENTER)
    for event in session.until_exit():
        session.pass_on(event)
        assert not isinstance(event, Failure), event
        result = event if isinstance(event, Result) else result
    assert result is not None and result.data["outcome"] == "resumed"
    assert session.ask("check", deep=False)["intact"]
