"""C asks for the passphrase on its screen. Nothing typed is shown, and nothing wrong goes on."""

from __future__ import annotations

import msgspec
import pytest

from khib_tui.errors import Exit
from khib_tui.events.types import Stage
from khib_tui.seal import crypto
from khib_tui.seal.keyslots import Cipher, Seal
from khib_tui.target.catalog import Found
from tests.kit.restore_kit import SHELL, Cycle, image

PASSPHRASE = "good words here"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make keyslots that cost nothing."""
    monkeypatch.setattr(crypto, "MEMORY", 64)
    monkeypatch.setattr(crypto, "ITERATIONS", 1)


@pytest.fixture
def made() -> tuple[Seal, str]:
    return crypto.create(PASSPHRASE, Cipher.AES)


@pytest.fixture
def sealed(monkeypatch: pytest.MonkeyPatch, made: tuple[Seal, str]) -> Cycle:
    cycle = Cycle(monkeypatch, ["/dev/vdb1"])
    plain = image("/dev/vdb1")
    cycle.images = [Found(plain.target, plain.where, msgspec.structs.replace(plain.header, seal=made[0]))]
    return cycle


def stages(cycle: Cycle) -> list[str]:
    return [event.status for event in cycle.events if isinstance(event, Stage) and event.stage == "passphrase"]


def test_c_asks_says_that_it_was_wrong_and_goes_on_with_the_right_one(sealed: Cycle) -> None:
    screen = sealed.run(
        0, ("is sealed", [*"wrong words", "enter"]), ("try 1: the passphrase is wrong", [*PASSPHRASE, "enter"]), SHELL
    )
    assert sealed.resumed == ["/dev/vdb1"] and stages(sealed) == ["started", "failed", "done"]
    assert not [text for text in screen.seen if PASSPHRASE in text or "wrong words" in text]


def test_c_takes_the_recovery_key_and_tells_a_typing_error(sealed: Cycle, made: tuple[Seal, str]) -> None:
    key = made[1].lower()
    broken = key[:-1] + ("7" if key[-1] != "7" else "8")
    sealed.run(0, ("is sealed", [*broken, "enter"]), ("typing error", [*key, "enter"]), SHELL)
    assert sealed.resumed == ["/dev/vdb1"]


def test_esc_at_the_passphrase_goes_back_to_the_choices(sealed: Cycle) -> None:
    sealed.run(0, ("is sealed", ["esc"]), ("This session can be resumed", ["esc"]), SHELL)
    assert sealed.resumed == [] and sealed.code == Exit.CANCELLED
