"""An image is given up, if it is the one that was shown."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from khib_tui.errors import ImageError
from khib_tui.image import header as headers
from khib_tui.image.header import State
from khib_tui.image.store import Store
from khib_tui.model.identity import DeviceKey, TargetRef
from khib_tui.plan.discard import Discard
from khib_tui.plan.step import Context
from khib_tui.target.catalog import Found
from tests.kit.machines import BIOS
from tests.kit.saved import handover, save


@pytest.fixture
def shown(memory: Path, target: Path) -> Found:
    """An image in an ordinary file, as a listing shows it."""
    header = save(memory, target, handover())
    return Found(TargetRef(DeviceKey("", 0, 1, ""), str(target)), str(target), header)


def test_the_image_cannot_be_resumed_afterwards(shown: Found, target: Path, context: Context) -> None:
    step = Discard(BIOS, shown)
    assert str(target) in step.describe() and "complete" in step.describe()
    step.apply(context)
    with Store(target) as store:
        now = headers.read(store)
    assert now and (now.state, now.reason) == (State.ABANDONED, "discarded by the user") and context.changed


def test_another_image_in_its_place_is_left_alone(shown: Found, target: Path, context: Context) -> None:
    other = msgspec.structs.replace(shown.header, image_id="cd" * 16)
    with pytest.raises(ImageError) as caught:
        Discard(BIOS, Found(shown.target, shown.where, other)).apply(context)
    with Store(target) as store:
        now = headers.read(store)
    assert caught.value.ident == "HIB-E-IMAGE-CHANGED" and now == shown.header and not context.changed
