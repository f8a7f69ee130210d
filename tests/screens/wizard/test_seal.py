"""Sealing in the wizard. Nothing typed is shown, and nothing wrong goes on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from khib_tui.handover.handover import Mode
from khib_tui.seal import crypto
from khib_tui.seal import file as sealfile
from khib_tui.seal.file import Opened
from khib_tui.seal.keyslots import Cipher, Seal
from screens.ui.window import Window
from screens.wizard.app import STEPS, Wizard
from screens.wizard.home import HomePage
from screens.wizard.seal import RecoveryKeyPage, SealPage
from tests.kit.screens_kit import make, press, set_up, shown, until

PASSPHRASE = "good words here"
KEY = re.compile(r"\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){7}\b")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make keyslots that cost nothing."""
    monkeypatch.setattr(crypto, "MEMORY", 64)
    monkeypatch.setattr(crypto, "ITERATIONS", 1)


@pytest.fixture
def made() -> tuple[Seal, str]:
    return crypto.create(PASSPHRASE, Cipher.AES)


def home(tmp_path: Path, *, size: tuple[int, int] = (80, 24)) -> Wizard:
    set_up(tmp_path)
    wizard = make(tmp_path, target="/dev/vdb1", size=size)
    wizard.begin()
    return wizard


def kept(wizard: Wizard) -> Seal | None:
    return sealfile.load(sealfile.path_beside(wizard.path))


def typed(window: Window, first: str, second: str) -> str:
    """Type into both fields of the sealing page, and press its button."""
    press(window, *first, "enter", *second)
    until(window, "Seal")
    return press(window, "enter")


def test_home_and_review_say_whether_images_are_sealed(tmp_path: Path, made: tuple[Seal, str]) -> None:
    wizard = home(tmp_path)
    assert "Images are not sealed" in shown(wizard.window) and "< Seal the images" in shown(wizard.window)
    wizard.go(len(STEPS) - 1)
    assert "[warn] Images are not sealed" in shown(wizard.window) and "< Seal the images" in shown(wizard.window)
    sealfile.save(made[0], sealfile.path_beside(wizard.path))
    wizard.go(len(STEPS) - 1)
    assert "[ ok ] Images are sealed: aes-256-gcm" in shown(wizard.window)
    wizard.home()
    assert "Images are sealed: aes-256-gcm" in shown(wizard.window)


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
def test_a_seal_is_kept_only_once_its_recovery_key_was_written_down(tmp_path: Path, size: tuple[int, int]) -> None:
    wizard = home(tmp_path, size=size)
    wizard.seal()
    text = typed(wizard.window, PASSPHRASE, PASSPHRASE)
    found = KEY.search(text)
    assert isinstance(wizard.window.page, RecoveryKeyPage) and found and kept(wizard) is None
    assert "never shown again" in press(wizard.window, "esc") and "never shown again" in press(wizard.window, "f10")
    until(wizard.window, "I have written it down")
    assert found[0] not in press(wizard.window, "enter") and kept(wizard) is None
    groups = found[0].split("-")
    text = press(wizard.window, *f"{groups[2]}-{groups[7]}", "enter")
    there = kept(wizard)
    assert there and "Images will be sealed" in text and found[0] not in text
    assert crypto.unlock(there, PASSPHRASE) == crypto.unlock(there, found[0])


def test_a_recovery_key_that_nobody_wants_seals_nothing(tmp_path: Path) -> None:
    wizard = home(tmp_path)
    wizard.seal()
    typed(wizard.window, PASSPHRASE, PASSPHRASE)
    until(wizard.window, "Do not seal")
    assert "Nothing was changed" in press(wizard.window, "enter") and kept(wizard) is None


@pytest.mark.parametrize(
    ("first", "second", "ident"), [("short", "short", "HIB-E-WEAK"), (PASSPHRASE, "other words", "PASSPHRASE")]
)
def test_short_or_different_passphrases_are_refused(tmp_path: Path, first: str, second: str, ident: str) -> None:
    wizard = home(tmp_path)
    wizard.seal()
    text = typed(wizard.window, first, second)
    assert ident in text and isinstance(wizard.window.page, SealPage) and kept(wizard) is None


def test_what_is_typed_is_shown_only_on_demand(tmp_path: Path) -> None:
    wizard = home(tmp_path)
    wizard.seal()
    text = press(wizard.window, *PASSPHRASE)
    assert PASSPHRASE not in text and "*" * len(PASSPHRASE) in text
    until(wizard.window, " ] show")
    assert PASSPHRASE in press(wizard.window, "enter")
    assert PASSPHRASE not in press(wizard.window, "enter")


def test_sealing_can_be_ended_after_a_question(tmp_path: Path, made: tuple[Seal, str]) -> None:
    wizard = home(tmp_path)
    sealfile.save(made[0], sealfile.path_beside(wizard.path))
    wizard.seal()
    until(wizard.window, "Stop sealing")
    assert "read everything" in press(wizard.window, "enter")
    assert kept(wizard)
    press(wizard.window, "right", "enter")
    assert kept(wizard) is None and isinstance(wizard.window.page, HomePage)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Opened | None]:
    """The seals with which the wizard would run."""
    gone: list[Opened | None] = []
    monkeypatch.setattr(Wizard, "run", lambda _, task, opened=None: gone.append(opened))
    return gone


def test_hibernating_with_a_seal_asks_for_the_passphrase_first(
    tmp_path: Path, made: tuple[Seal, str], runs: list[Opened | None]
) -> None:
    wizard = home(tmp_path)
    sealfile.save(made[0], sealfile.path_beside(wizard.path))
    wizard.travel(Mode.SAVE)
    assert "Passphrase or recovery key" in shown(wizard.window)
    text = press(wizard.window, *"wrong words", "enter")
    assert "HIB-E-PASSPHRASE" in text and not runs
    text = press(wizard.window, *PASSPHRASE, "enter")
    assert "Hibernate now?" in text and "sealed" in text and "image is not sealed" not in text and not runs
    press(wizard.window, "right", "enter")
    assert runs[0] and runs[0].master == crypto.unlock(made[0], PASSPHRASE)


def test_a_rehearsal_that_saves_asks_too_and_a_jump_alone_does_not(
    tmp_path: Path, made: tuple[Seal, str], runs: list[Opened | None]
) -> None:
    wizard = home(tmp_path)
    sealfile.save(made[0], sealfile.path_beside(wizard.path))
    wizard.travel(Mode.REHEARSE)
    assert runs == [None]
    wizard.travel(Mode.REHEARSE_SAVE)
    press(wizard.window, *made[1].lower(), "enter")
    assert len(runs) == 2 and runs[1]


def test_giving_up_at_the_passphrase_goes_nowhere(tmp_path: Path, made: tuple[Seal, str], runs: list[Opened | None]) -> None:
    wizard = home(tmp_path)
    sealfile.save(made[0], sealfile.path_beside(wizard.path))
    wizard.travel(Mode.SAVE)
    text = press(wizard.window, "esc")
    assert "Passphrase" not in text and isinstance(wizard.window.page, HomePage) and not runs


def test_an_unsealed_hibernation_says_so_in_its_question(tmp_path: Path, runs: list[Opened | None]) -> None:
    wizard = home(tmp_path)
    wizard.travel(Mode.SAVE)
    assert "The image is not sealed" in " ".join(shown(wizard.window).replace("|", " ").split())
