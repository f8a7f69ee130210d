"""The steps of a journey."""

from __future__ import annotations

import pytest

from khib_tui.decide.choice import decide
from khib_tui.errors import Refused
from khib_tui.handover.handover import Mode
from khib_tui.model import machine
from khib_tui.model.settings import Settings
from khib_tui.plan.hibernate import LoadSaver
from khib_tui.plan.step import Context
from tests.kit import MACHINES
from tests.kit.saved import nothing

FACTS = MACHINES / "qemu-bios-1g.json"


def test_a_journey_that_is_to_be_sealed_never_goes_unsealed() -> None:
    choice = decide(machine.load(FACTS), Settings(), sealed=True, need_target=False)
    with pytest.raises(Refused) as caught:
        LoadSaver(choice, Mode.SAVE).apply(Context(nothing))
    assert caught.value.ident == "HIB-E-PASSPHRASE"
