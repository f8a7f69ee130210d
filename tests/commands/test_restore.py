"""C at its start: what another C has begun goes on without a question."""

from __future__ import annotations

from argparse import Namespace

import pytest

from khib_tui.commands.restore import going_on
from khib_tui.errors import Refused
from khib_tui.handover import moved
from khib_tui.handover.cmdline import Words
from khib_tui.handover.moved import Moved
from khib_tui.model.identity import TargetRef, key_of
from khib_tui.model.machine import BlockDevice
from khib_tui.target import guard

WORDS = Words(countdown=7, sealed=True)


def test_a_restorer_that_has_moved_takes_the_first_one_s_image_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moved, "received", lambda *_: Moved("aa", (), {}))
    arguments = Namespace(image="")
    assert going_on(arguments, WORDS) == WORDS._replace(countdown=0) and arguments.image == "aa"
    arguments = Namespace(image="/dev/vdc1")
    going_on(arguments, WORDS)
    assert arguments.image == "/dev/vdc1"


@pytest.mark.parametrize(("path", "place"), [("", "/dev/vdc1"), ("/core", "/dev/vdc1:/core")])
def test_it_goes_on_with_the_vmcore_whatever_its_disk_is_called_now(
    monkeypatch: pytest.MonkeyPatch, path: str, place: str
) -> None:
    then, now = (BlockDevice(name, 4096, "partition", disk_id="d", start=8, serial="s") for name in ("vdb1", "vdc1"))
    monkeypatch.setattr(moved, "received", lambda *_: Moved("aa", (), {}, vmcore=TargetRef(key_of(then), path)))
    monkeypatch.setattr(guard, "settled", lambda complete: [now] if complete([now]) else [])
    arguments = Namespace(image="", vmcore="", yes=False)
    going_on(arguments, WORDS)
    assert arguments.vmcore == place and arguments.yes
    monkeypatch.setattr(guard, "settled", lambda _: [])
    with pytest.raises(Refused):
        going_on(arguments, WORDS)


def test_any_other_waits_as_its_words_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moved, "received", lambda *_: None)
    arguments = Namespace(image="")
    assert going_on(arguments, WORDS) == WORDS and arguments.image == ""
