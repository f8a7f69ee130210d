"""The door to the screens: keys on a plain terminal."""

from __future__ import annotations

import os
import pty
import sys
import time

import pytest

from khib_tui.present import escape_key


def test_escape_is_heard_on_a_terminal_and_other_keys_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with open(theirs, closefd=False) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        with escape_key() as pressed:
            os.write(ours, b"ab")
            time.sleep(0.05)
            assert not pressed()
            os.write(ours, b"\x1b")
            time.sleep(0.05)
            assert pressed()
    os.close(ours)
    os.close(theirs)
