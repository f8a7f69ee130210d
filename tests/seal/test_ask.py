"""Passphrases typed on a terminal."""

from __future__ import annotations

import pytest

from khib_tui.seal import ask as secret
from tests.kit.sealed import PASSPHRASE, on_terminal

pytestmark = pytest.mark.usefixtures("quick_seals")


def test_a_new_passphrase_is_typed_twice_and_not_shown() -> None:
    shown = on_terminal(lambda: len(secret.new("")), [PASSPHRASE, PASSPHRASE])
    assert f"gave {len(PASSPHRASE)}" in shown and PASSPHRASE not in shown
    assert "raised HIB-E-PASSPHRASE" in on_terminal(lambda: secret.new(""), [PASSPHRASE, PASSPHRASE + "x"])
    assert "raised HIB-E-WEAK" in on_terminal(lambda: secret.new(""), ["short"])
