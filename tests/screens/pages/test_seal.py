"""Sealing: nothing is kept before its recovery key was shown."""

from __future__ import annotations

import pytest

from khib_tui.plan.seal import KeepSeal, RemoveSeal
from khib_tui.seal import crypto
from khib_tui.seal import file as sealfile
from khib_tui.seal.keyslots import Cipher
from screens.wizard.readback import ReadBackPage
from screens.wizard.seal import RecoveryKeyPage, SealPage
from tests.kit.fakeflow import FakeFlow
from tests.kit.pages import chosen, make
from tests.kit.screens_kit import press, shown

GOOD = "good words here"


def typed(flow: FakeFlow, first: str, second: str) -> str:
    """Type a passphrase twice, and press the button."""
    press(flow.window, *first, "enter", *second)
    return chosen(flow, "Seal")


def test_a_passphrase_that_was_typed_twice_leads_to_its_recovery_key(flow: FakeFlow) -> None:
    make(SealPage, flow)
    text = typed(flow, GOOD, GOOD)
    assert isinstance(flow.window.page, RecoveryKeyPage) and GOOD not in text and flow.asked == []


@pytest.mark.parametrize(("first", "second", "ident"), [("short", "short", "HIB-E-WEAK"), (GOOD, "others", "HIB-E-PASSPHRASE")])
def test_a_passphrase_that_is_weak_or_differs_is_refused(flow: FakeFlow, first: str, second: str, ident: str) -> None:
    page = make(SealPage, flow)
    assert f"[{ident}]" in typed(flow, first, second) and flow.window.page is page and flow.asked == []


def test_sealing_ends_after_a_question_only(flow: FakeFlow) -> None:
    path = sealfile.path_beside(flow.path)
    sealfile.save(crypto.create(GOOD, Cipher.AES)[0], path)
    make(SealPage, flow)
    assert "Stop sealing?" in chosen(flow, "Stop sealing") and flow.asked == []
    press(flow.window, "enter")
    assert flow.asked == []
    chosen(flow, "Stop sealing")
    press(flow.window, "right", "enter")
    assert [call[:2] for call in flow.asked] == [("apply", (RemoveSeal(path),))] and path.exists(), "the flow applies it"


def test_the_recovery_key_is_shown_before_the_seal_is_kept(flow: FakeFlow) -> None:
    page = make(RecoveryKeyPage, flow)
    assert isinstance(page, RecoveryKeyPage)
    step = KeepSeal(sealfile.path_beside(flow.path), page.seal)
    assert "Write the key down" in press(flow.window, "enter") and flow.asked == []
    chosen(flow, "I have written it down")
    assert flow.asked == [] and isinstance(flow.window.page, ReadBackPage)
    assert page.recovery not in shown(flow.window), "what is read back comes from the note"
    assert "[HIB-E-RECOVERY-KEY]" in press(flow.window, *"1234 5678", "enter") and flow.asked == []
    assert page.recovery in chosen(flow, "Show the key again")
    chosen(flow, "I have written it down")
    groups = page.recovery.lower().split("-")
    press(flow.window, *f"{groups[2]} {groups[7]}".replace("0", "o").replace("1", "l"), "enter")
    assert [call[:2] for call in flow.asked] == [("apply", (step,))]


def test_a_recovery_key_that_nobody_wants_keeps_nothing(flow: FakeFlow) -> None:
    make(RecoveryKeyPage, flow)
    chosen(flow, "Do not seal")
    assert flow.asked == [("sealed", "Nothing was changed.")]
