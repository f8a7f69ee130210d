"""What follows saving, on the real thing: restart, ACPI S4, sleep with the image complete, and the clock that wakes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from khib_tui.events.types import Result
from khib_tui.image.header import State
from khib_tui.lab import monitor
from khib_tui.lab.cycle import Session
from khib_tui.lab.qmp import Listener
from tests.kit.lab_kit import header_on, started

pytestmark = [pytest.mark.lab, pytest.mark.long]
PATIENCE = 200


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A's one uptime, shared by the tests of this module in their order."""
    with started(tmp_path_factory.mktemp("leave"), fill=30) as made:
        yield made


@contextmanager
def asleep(session: Session, *words: str) -> Iterator[Listener]:
    """Hibernate until the machine sleeps with its memory on: the image is complete, and A does not run."""
    with closing(Listener(session.running.directory)) as listener:
        session.command("hibernate", "--after", "hybrid", *words)
        listener.until("SUSPEND", PATIENCE)
        assert header_on(session.lab.disk_target).state is State.COMPLETE
        yield listener


def awake(session: Session) -> str:
    """Return what A says of its journey; its image is given up, and its memory is as it was."""
    results = [event for event in session.until_exit() if isinstance(event, Result)]
    assert results and results[-1].ok, session.reason()
    header = header_on(session.lab.disk_target)
    assert header.state is State.ABANDONED and "woken" in header.reason
    assert session.ask("check", deep=False)["intact"]
    return results[-1].text


def test_who_is_woken_while_the_image_is_complete_goes_straight_on(session: Session) -> None:
    with asleep(session):
        monitor.ask(session.running.directory, "system_wakeup")
    assert "woken" in awake(session)


def test_the_clock_wakes_the_machine(session: Session) -> None:
    with asleep(session, "--wake", "60s") as listener:
        listener.until("WAKEUP", PATIENCE)
    assert "woken" in awake(session)


def test_without_power_the_sleeping_machine_resumes_from_its_disk(session: Session) -> None:
    with asleep(session):
        session.running.kill()
    _, result = session.resume()
    assert result.text.startswith("resumed: yes")
    assert session.ask("check", deep=False)["intact"]


@pytest.mark.parametrize(("after", "event"), [("platform", "SUSPEND_DISK"), ("reboot", "RESET"), ("poweroff", "SHUTDOWN")])
def test_the_machine_is_left_as_chosen_and_comes_back(session: Session, after: str, event: str) -> None:
    with closing(Listener(session.running.directory)) as listener:
        session.hibernate("--after", after)
    assert event in listener.heard
    assert ("SUSPEND_DISK" in listener.heard) is (after == "platform")
    _, result = session.resume()
    assert result.text.startswith("resumed: yes")
    assert session.ask("check", deep=False)["intact"]
