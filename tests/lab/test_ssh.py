"""The image on another machine by ssh: whole cycles, a server that is stopped at each time that hurts, and the set-up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from khib_tui import files
from khib_tui.events.types import Event, Failure
from khib_tui.image.header import State
from khib_tui.initramfs import build
from khib_tui.lab import disks, network, setup
from khib_tui.lab.cycle import Session
from khib_tui.lab.setup import Lab
from khib_tui.model.sshfiles import FOLDER, KEY, KNOWN, PUBLIC, SSH
from khib_tui.runner import run
from tests.kit import remote_kit, sshd
from tests.kit.lab_kit import options, print_event
from tests.kit.sshd import Sshd

pytestmark = [pytest.mark.lab, pytest.mark.long, sshd.needs_sshd]
NAME = "image.khib"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd.running(tmp_path_factory.mktemp("sshd")) as made:
        yield made


def give_keys(lab: Lab, server: Sshd) -> None:
    """Do what a set-up does with keys and initramfs, which takes minutes in the machine."""
    tree = lab.directory / "keys"
    tree.mkdir()
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tree / KEY.name])
    (tree / KNOWN.name).write_text(f"{network.HOST} {(server.folder / 'host.pub').read_text()}")
    server.allow((tree / PUBLIC.name).read_text())
    disks.put_on_root(lab.disk_a, tree, str(FOLDER))
    extra = {SSH: Path(SSH), str(KEY): tree / KEY.name, str(KNOWN): tree / KNOWN.name}
    files.write(lab.directory / "ssh.img", build.build(print_event, extra=extra))
    disks.put_on_boot(lab.disk_a, {"khib/initramfs.img": lab.directory / "ssh.img"})


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, server: Sshd) -> Iterator[Session]:
    made = setup.prepare(options(), tmp_path_factory.mktemp("lab"), print_event, packages=("openssh-client",))
    give_keys(made, server)
    with remote_kit.away(made, f"{server.place(NAME, network.HOST)}?dhcp") as session:
        yield session


def test_a_session_comes_back_from_the_other_machine(session: Session, server: Sshd) -> None:
    session.hibernate()
    assert remote_kit.state_in(server.folder / NAME) is State.COMPLETE
    session.resume()
    assert session.ask("check", deep=False)["intact"] and session.disks_identical
    assert remote_kit.state_in(server.folder / NAME) is State.DONE


def test_a_server_that_stops_while_saving_gives_the_session_back(session: Session, server: Sshd) -> None:
    remote_kit.stopped_while_saving(session, server)


def test_the_restorer_waits_for_a_server_and_keeps_the_image_of_one_that_stops(session: Session, server: Sshd) -> None:
    remote_kit.late_and_stopped_while_restoring(session, server, server.folder / NAME)
    assert remote_kit.state_in(server.folder / NAME) is State.DONE


def failure(events: list[Event]) -> Failure:
    (found,) = (event for event in events if isinstance(event, Failure))
    return found


def test_the_set_up_says_which_key_the_server_must_take_and_then_succeeds(session: Session, server: Sshd) -> None:
    server.authorized.write_text("")
    session.program("rm", "-r", str(FOLDER), "/boot/khib/initramfs.key")  # what the lab has given has no ssh
    code, events = session.run("setup", timeout=900)
    assert code and failure(events).ident == "HIB-E-SSH"
    public = session.read(str(PUBLIC)).strip()
    assert public in (failure(events).hint or "")
    server.allow(public)
    assert session.run("setup", timeout=900)[0] == 0, session.reason()
