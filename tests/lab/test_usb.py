"""The image on a USB disk: pulled while it is written, put in late at the restorer, and there when nothing is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from khib_tui.events.types import Failure, Message, Progress, StageName
from khib_tui.lab import monitor, setup
from khib_tui.lab.board import Board
from khib_tui.lab.cycle import Session
from khib_tui.lab.machine import VIRTIO, XHCI, Machine
from khib_tui.lab.setup import Lab
from tests.kit.lab_kit import options, print_event

pytestmark = [pytest.mark.lab, pytest.mark.long]


class UsbTarget(Machine):
    """A machine with the disk of the image alone at the USB: A mounts the others before that is awake."""

    def disk(self, number: int, board: Board) -> str:
        """Return the device of a disk in QEMU's words."""
        usb = f"usb-storage,bus=xhci.0,id=usb1,serial=khib-disk-1,drive=d{number}"
        return usb if number == 1 else super().disk(number, board)


USB = UsbTarget("usb", VIRTIO.first, VIRTIO.root, XHCI)
TARGET = "/dev/sda1"


def pull(session: Session) -> None:
    """Unplug the disk of the image."""
    monitor.ask(session.lab.directory, "device_del usb1")


def put_in(session: Session) -> None:
    """Plug it in again; QEMU has closed its file when it was pulled."""
    folder, disk = session.lab.directory, session.lab.disk_target
    monitor.ask(folder, f"drive_add 0 if=none,id=again,format=raw,file={disk}")
    monitor.ask(folder, "device_add usb-storage,bus=xhci.0,id=usb1,serial=khib-disk-1,drive=again")


def seen(session: Session) -> None:
    """Wait until A sees it."""
    session.program("sh", "-c", f"for i in $(seq 60); do [ -b {TARGET} ] && exit 0; sleep 0.5; done; exit 1")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    made = setup.prepare(options(), tmp_path_factory.mktemp("lab"), print_event)
    lab = Lab(replace(made.hardware, machine=USB), made.kernel, made.directory)
    session = Session(lab, print_event)
    try:
        session.boot_a()
        seen(session)
        session.program("sh", "-c", f"sed 's,/dev/vdb1,{TARGET},' {session.settings} >/run/khib.toml")
        session.settings = "/run/khib.toml"
        session.ask("fill", percent=60, shadow=lab.shadow)
        session.ask("remember", deep=False)
        yield session
    finally:
        session.end()


def test_a_disk_that_is_pulled_while_it_is_written_gives_the_session_back(session: Session) -> None:
    session.command("hibernate")
    pulled, failures = False, []
    for event in session.until_exit():
        session.pass_on(event)
        if isinstance(event, Progress) and event.stage == StageName.SAVE and not pulled:
            pull(session)
            pulled = True
        if isinstance(event, Failure):
            failures.append(event)
    assert pulled and [failure.ident for failure in failures] == ["HIB-E-TARGET-LOST"]
    assert failures[0].hint
    assert session.ask("check", deep=False)["intact"]


def test_without_it_hibernation_is_refused(session: Session) -> None:
    code, _ = session.run("hibernate")
    assert code == 4


def test_the_restorer_waits_for_a_disk_that_is_put_in_late(session: Session) -> None:
    put_in(session)
    seen(session)
    session.hibernate()
    session.boot(session.lab.boot_c())
    pull(session)
    asked = resumed = False
    for event in session.until_exit():
        session.pass_on(event)
        assert not isinstance(event, Failure), event
        if isinstance(event, Message) and "plug it in" in event.text and not asked:
            asked = True
            put_in(session)
        if isinstance(event, dict) and "exit" in event:
            resumed = event["exit"] == 0
    assert asked and resumed
    assert session.ask("check", deep=False)["intact"]
