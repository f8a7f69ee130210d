"""Images are described and given up."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from khib_tui.image import header as headers
from khib_tui.image.header import State
from khib_tui.image.store import Store
from khib_tui.target import catalog
from khib_tui.target.catalog import Found
from screens.wizard.images import ImagesPage
from tests.kit.fakeflow import FakeFlow
from tests.kit.pages import chosen, make
from tests.kit.screens_kit import press


@pytest.fixture
def listed(image: tuple[Found, Path], flow: FakeFlow, monkeypatch: pytest.MonkeyPatch) -> tuple[FakeFlow, Path]:
    """The page with a sealed image that lies in a file."""
    found, path = image
    monkeypatch.setattr(catalog, "images", lambda *_: [Found(found.target, str(path), found.header)])
    page = make(ImagesPage, flow)
    assert isinstance(page, ImagesPage)
    page.look()
    return flow, path


def state(path: Path) -> State:
    with Store(path) as store:
        header = headers.read(store)
    assert header
    return header.state


def test_an_image_is_described(listed: tuple[FakeFlow, Path]) -> None:
    text = chosen(listed[0], "Info")
    assert "state: complete" in text and "sealed: chacha20-poly1305" in text


def test_an_image_is_given_up_after_the_word_and_not_before(listed: tuple[FakeFlow, Path]) -> None:
    flow, path = listed
    chosen(flow, "Discard")
    press(flow.window, *"no", "enter", "right", "enter", "esc")
    assert state(path) is State.COMPLETE and flow.window.stack.depth == 0
    chosen(flow, "Discard")
    press(flow.window, *"yes", "enter", "right", "enter")
    assert state(path) is State.ABANDONED and flow.asked == []


def test_an_image_that_was_exchanged_meanwhile_is_not_given_up(listed: tuple[FakeFlow, Path]) -> None:
    flow, path = listed
    chosen(flow, "Discard")
    with Store(path, writable=True) as store:
        header = headers.read(store)
        assert header
        headers.write(store, msgspec.structs.replace(header, image_id="cd" * 16))
    text = press(flow.window, *"yes", "enter", "right", "enter")
    assert "[HIB-E-IMAGE-CHANGED]" in text and state(path) is State.COMPLETE
