"""C is put beside the image's region: it moves into it, once, and A comes back; a passphrase is asked for once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from khib_tui.events.types import Message
from khib_tui.lab import sealed
from khib_tui.lab.cycle import Session, asks_passphrase
from khib_tui.lab.hardware import Boot
from khib_tui.lab.setup import prepare
from tests.kit.lab_kit import options, print_event

pytestmark = pytest.mark.lab

ELSEWHERE = "memmap=exactmap memmap=0x9e000@0x1000 memmap=192M@192M"


@contextmanager
def machine(directory: Path, firmware: str) -> Iterator[Session]:
    session = Session(prepare(options(firmware=firmware), directory, print_event), print_event)
    try:
        session.boot_a()
        session.ask("fill", percent=60, shadow=session.lab.shadow)
        session.ask("remember", deep=False)
        yield session
    finally:
        session.end()


def came_back(session: Session, boot: Boot) -> None:
    session.resume(boot)
    assert session.ask("check", deep=False)["intact"] and session.disks_identical
    assert [event for event in session.running.seen if isinstance(event, Message) and "it moves into" in event.text]


def test_without_memory_words_the_restorer_moves_and_does_so_once(tmp_path: Path) -> None:
    with machine(tmp_path, "bios") as session:
        session.hibernate()
        again = session.lab.boot_c(memmap="")
        failure = session.refused(replace(again, options=f"{again.options} khib.moved"))
        assert failure.ident == "HIB-E-REGION-WORD" and "image is kept" in str(failure.hint)
        came_back(session, session.lab.boot_c(memmap=""))
        session.hibernate()
        came_back(session, session.lab.boot_c(memmap=ELSEWHERE))
        clean, text = session.power_off()
        assert clean, text


def test_a_sealed_image_is_asked_for_once_on_uefi(tmp_path: Path) -> None:
    with machine(tmp_path, "uefi") as session:
        hidden = sealed.seal(session)
        session.hibernate(*hidden.options)
        came_back(session, session.lab.boot_c(memmap=""))
        assert len([event for event in session.running.seen if asks_passphrase(event)]) == 1
        sealed.refuse_leak(session, hidden)
        clean, text = session.power_off()
        assert clean, text
