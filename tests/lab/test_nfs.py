"""The image on an NFS share: B and C are Debian's own kernel, with its drivers as modules; A's has none, and does without."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from khib_tui.events.types import Message
from khib_tui.image.header import State
from khib_tui.lab import network, setup
from khib_tui.lab.build.stock import NETWORK
from khib_tui.lab.cycle import Session
from tests.kit import ganesha, remote_kit
from tests.kit.ganesha import Ganesha
from tests.kit.lab_kit import options, print_event

pytestmark = [pytest.mark.lab, pytest.mark.long, ganesha.needs_ganesha]
NAME = "image.khib"
MODULES = ("nfs", "nfsv3", "nfsv4")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ganesha]:
    with ganesha.running(tmp_path_factory.mktemp("nfs")) as made:
        yield made


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, server: Ganesha) -> Iterator[Session]:
    chosen = options(memory=1536, saver="debian-12", network=True)
    made = setup.prepare(chosen, tmp_path_factory.mktemp("lab"), print_event, drivers=(*NETWORK, *MODULES))
    with remote_kit.away(made, str(server.place(NAME, network.HOST))) as session:
        yield session


def test_a_session_comes_back_from_the_share(session: Session, server: Ganesha) -> None:
    session.hibernate()
    assert remote_kit.state_in(server.export / NAME) is State.COMPLETE
    session.resume()
    assert session.ask("check", deep=False)["intact"] and session.disks_identical
    assert remote_kit.state_in(server.export / NAME) is State.CLAIMED
    told = [event.text for event in session.running.seen if isinstance(event, Message)]
    assert any("stays marked as resumed" in text for text in told)


def test_a_server_that_stops_while_saving_gives_the_session_back(session: Session, server: Ganesha) -> None:
    remote_kit.stopped_while_saving(session, server)


def test_the_restorer_waits_for_a_server_and_keeps_the_image_of_one_that_stops(session: Session, server: Ganesha) -> None:
    remote_kit.late_and_stopped_while_restoring(session, server, server.export / NAME)
