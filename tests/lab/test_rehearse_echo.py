"""`khib rehearse --echo` in a real machine, and a whole rehearsal after it in the same uptime."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from khib_tui.events.types import Result, Status, Step
from khib_tui.lab.cycle import Session
from khib_tui.lab.setup import prepare
from tests.kit.lab_kit import options, print_event

pytestmark = pytest.mark.lab


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    made = Session(prepare(options(), tmp_path, print_event), print_event)
    made.boot_a()
    made.ask("fill", percent=40, shadow=made.lab.shadow)
    made.ask("remember", deep=False)
    yield made
    made.end()


def test_an_echo_comes_back_and_a_rehearsal_after_it_still_does(session: Session) -> None:
    code, events = session.run("rehearse", "--echo", "--dry-run")
    planned = [event.text for event in events if isinstance(event, Step)]
    assert code == 0 and len(planned) == 4
    for number in (1, 2):
        code, events = session.run("rehearse", "--echo")
        result = events[-1]
        assert code == 0 and isinstance(result, Result), events
        assert [event.text for event in events if isinstance(event, Step) and event.status == Status.DONE] == planned
        assert result.text.startswith("rehearsed: the kernel froze the devices and came back in ")
        assert 0 < result.data["away_seconds"] < 60
        assert session.read("/sys/kernel/kexec_loaded").strip() == "0"
        assert int(session.program("sh", "-c", "dmesg | grep -c 'Restarting tasks'")) == number
    code, events = session.run("rehearse")
    assert code == 0 and isinstance(events[-1], Result) and events[-1].data["outcome"] == "rehearsed"
    answer = session.ask("check", deep=False)
    assert answer["intact"], answer
    clean, text = session.power_off()
    assert clean, text
