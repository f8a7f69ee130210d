"""What is done to each server that keeps an image, whatever it speaks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from khib_tui.events.types import Failure, Message, Progress, StageName
from khib_tui.image import header as headers
from khib_tui.image.header import State
from khib_tui.image.store import Store
from khib_tui.lab import network
from khib_tui.lab.cycle import Session
from khib_tui.lab.setup import Lab
from tests.kit.lab_kit import print_event


class Server(Protocol):
    """Something that can be started, and stopped as a power cut stops it."""

    def start(self) -> None:
        """Start it."""

    def stop(self) -> None:
        """Stop it."""


@contextmanager
def away(made: Lab, place: str) -> Iterator[Session]:
    """Give a machine on a network, whose images go to a place there, with something in its memory."""
    session = Session(network.networked(made), print_event)
    try:
        session.boot_a()
        assert network.connect(session).startswith("10.0.2.")
        network.choose(session, place)
        session.ask("fill", percent=5, shadow=made.shadow)
        session.ask("remember", deep=False)
        yield session
    finally:
        session.end()


def state_in(path: Path) -> State | None:
    """Return the state of an image in a file."""
    with Store(path) as store:
        header = headers.read(store)
    return header.state if header else None


def stopped_while_saving(session: Session, server: Server) -> None:
    """Stop the server while B writes: A comes back with the reason, and nothing is lost."""
    session.command("hibernate")
    stopped, failures = False, []
    for event in session.until_exit():
        session.pass_on(event)
        if isinstance(event, Progress) and event.stage == StageName.SAVE and not stopped:
            server.stop()
            stopped = True
        if isinstance(event, Failure):
            failures.append(event)
    assert stopped and [item.ident for item in failures] == ["HIB-E-TARGET-LOST"]
    assert session.ask("check", deep=False)["intact"]


def late_and_stopped_while_restoring(session: Session, server: Server, path: Path) -> None:
    """Start C before the server, which it waits for, and stop that while C reads: the image is kept, and resumed later."""
    server.start()
    session.hibernate()
    server.stop()
    session.boot(session.lab.boot_c())
    stopped = waited = False
    for event in session.running.events():
        session.pass_on(event)
        if isinstance(event, Message) and "does not answer yet" in event.text:
            waited = True
            server.start()
        if isinstance(event, Progress) and event.stage == StageName.RESTORE and not stopped:
            server.stop()
            stopped = True
        if isinstance(event, Failure):
            break
    session.running.kill()
    assert waited and stopped and state_in(path) is State.COMPLETE
    server.start()
    session.resume()
    assert session.ask("check", deep=False)["intact"]
