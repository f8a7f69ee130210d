"""Which images are restored at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.errors import ImageError
from khib_tui.image import header as headers
from khib_tui.image.header import State
from khib_tui.image.store import Store
from khib_tui.restorer import restore as restorer
from tests.kit.saved import handover, save


@pytest.mark.parametrize("state", [state for state in State if state is not State.COMPLETE])
def test_only_a_complete_image_is_resumed(memory: Path, target: Path, state: State) -> None:
    header = save(memory, target, handover())
    with Store(target, writable=True) as store:
        headers.advance(store, header, state)
        with pytest.raises(ImageError) as caught:
            restorer.examine(store)
    assert caught.value.ident == f"HIB-E-IMAGE-{state.name}"
