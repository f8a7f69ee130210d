"""An image that waits is never written over, unless the system in A knows that it is none any more."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.errors import ImageError
from khib_tui.image.header import State
from tests.kit.saved import handover, save


def test_only_the_image_that_was_named_as_dead_is_written_over(memory: Path, target: Path) -> None:
    first = save(memory, target, handover())
    before = target.read_bytes()
    for dead in ("", "cd" * 16):
        with pytest.raises(ImageError) as caught:
            save(memory, target, handover(image_id="ef" * 16, dead=dead))
        assert caught.value.ident == "HIB-E-COMPLETE" and target.read_bytes() == before
    second = save(memory, target, handover(image_id="ef" * 16, dead=first.image_id))
    assert (second.state, second.image_id) == (State.COMPLETE, "ef" * 16)
