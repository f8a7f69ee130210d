"""A sealed image, resumed from C's shell after a wrong passphrase: in the memory of the region, with no screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from khib_tui.events.types import Event, Failure, Result, Stage, StageName, Status
from khib_tui.image.header import State
from khib_tui.lab import sealed
from khib_tui.lab.cycle import LabError, Session, asks_passphrase
from tests.kit.lab_kit import Console, print_event, started, state_on

pytestmark = pytest.mark.lab

ESCAPE, RIGHT, ENTER = b"\x1b", b"\x1b[C", b"\r"
SCREENS = {"khib.ui=plain": "khib.term=vt100"}


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with started(tmp_path, fill=60) as made:
        yield made


def is_wrong(event: Event | dict[str, object]) -> bool:
    return isinstance(event, Stage) and (event.stage, event.status) == (StageName.PASSPHRASE, Status.FAILED)


def test_a_sealed_image_is_resumed_from_the_shell_after_a_wrong_passphrase(session: Session) -> None:
    assert session.program("od", "-An", "-c", "-N4", "/sys/firmware/acpi/tables/FACS").split() == list("FACS")
    made = sealed.seal(session)
    session.hibernate(*made.options)
    session.note_disks()
    session.boot(session.lab.boot_c(SCREENS))
    console, typed, result = Console(session), 0, None
    for event in session.until_exit():
        session.pass_on(event)
        if asks_passphrase(event):
            typed += 1
            if typed == 1:
                console.answer(b"Not now", b"not this one\r")
            else:
                session.running.type(f"{made.passphrase}\n".encode())
        if is_wrong(event):
            assert state_on(session.lab.disk_target) is State.COMPLETE
            console.wait(b"try 1")
            session.running.type(ESCAPE)
            console.answer(b"Resume now", ESCAPE)
        if isinstance(event, Failure):
            assert event.ident == "HIB-E-CANCELLED", event
            console.answer(b"Shell", RIGHT + ENTER)
            console.answer(b"`khib restore` to try again", b"khib restore --plain\n")
        if isinstance(event, Stage) and (event.stage, event.status) == (StageName.RESTORE, Status.DONE):
            session.digest()
        result = event if isinstance(event, Result) else result
    assert typed == 2 and result is not None and result.data["outcome"] == "resumed", session.reason()
    assert session.ask("check", deep=False)["intact"]
    assert len(set(session.digests)) == 1
    sealed.refuse_leak(session, made)


def test_the_console_that_never_shows_a_text_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.kit.lab_kit.PATIENCE", 0.5)
    (tmp_path / "console.log").write_bytes(b"nothing")
    lab = type("Lab", (), {"directory": tmp_path})()
    with pytest.raises(LabError, match="never showed"):
        Console(Session(lab, print_event)).wait(b"something")
