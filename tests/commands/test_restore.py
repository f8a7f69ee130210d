"""C at its start: what another C has begun goes on without a question."""

from __future__ import annotations

from argparse import Namespace

import pytest

from khib_tui.commands.restore import going_on
from khib_tui.handover import moved
from khib_tui.handover.cmdline import Words
from khib_tui.handover.moved import Moved

WORDS = Words(countdown=7, sealed=True)


def test_a_restorer_that_has_moved_takes_the_first_one_s_image_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moved, "received", lambda *_: Moved("aa", (), {}))
    arguments = Namespace(image="")
    assert going_on(arguments, WORDS) == WORDS._replace(countdown=0) and arguments.image == "aa"
    arguments = Namespace(image="/dev/vdc1")
    going_on(arguments, WORDS)
    assert arguments.image == "/dev/vdc1"


def test_any_other_waits_as_its_words_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moved, "received", lambda *_: None)
    arguments = Namespace(image="")
    assert going_on(arguments, WORDS) == WORDS and arguments.image == ""
