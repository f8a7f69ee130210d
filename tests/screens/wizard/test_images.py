"""The page of images: listed, described, given up."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.image.header import Header, State
from khib_tui.model.identity import DeviceKey, TargetRef
from khib_tui.target import catalog
from khib_tui.target.catalog import Found
from screens.ui.window import Window
from screens.wizard import images
from screens.wizard.images import ImagesPage
from tests.kit.screens_kit import (
    make,
    press,
    shown,
    until,
)


def found(state: State = State.COMPLETE, host: str = "laptop") -> Found:
    header = Header("abc", state, 3, 1.7e9, host, "6.1", 16 << 30, 2 << 30)
    return Found(TargetRef(DeviceKey("d", 0, 1, "s")), "/dev/vdb1", header)


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Window, list[Found]]:
    """Return the page of images with one image, and the list of those that were given up."""
    gone: list[Found] = []
    monkeypatch.setattr(catalog, "images", lambda *_: [found()])
    monkeypatch.setattr(images, "discard", lambda _, item: gone.append(item))
    wizard = make(tmp_path, target="/dev/vdb1")
    page = ImagesPage(wizard)
    wizard.window.show(page)
    page.look()
    return wizard.window, gone


def test_images_are_listed(pictures: tuple[Window, list[Found]]) -> None:
    text = shown(pictures[0])
    assert "/dev/vdb1" in text and "complete" in text and "laptop" in text and "2.0 GiB" in text


def test_giving_an_image_up_needs_the_word(pictures: tuple[Window, list[Found]]) -> None:
    window, gone = pictures
    until(window, "Discard")
    assert "Type yes" in press(window, "enter")
    press(window, "enter", "enter")
    assert window.stack.depth == 0 and not gone, "Enter twice must not discard"
    text = press(window, "enter", *"no", "enter", "right", "enter")
    assert "That was not 'yes'" in text and not gone
    press(window, "esc", "enter", *"yes", "enter", "right", "enter")
    assert [item.where for item in gone] == ["/dev/vdb1"] and window.stack.depth == 0


def test_an_image_that_was_used_cannot_be_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "images", lambda *_: [found(State.DONE)])
    wizard = make(tmp_path)
    page = ImagesPage(wizard)
    wizard.window.show(page)
    page.look()
    until(wizard.window, "Discard")
    assert "done already" in press(wizard.window, "enter") and wizard.window.stack.depth == 0


def test_no_image_shows_no_table_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "images", lambda *_: [])
    wizard = make(tmp_path)
    page = ImagesPage(wizard)
    wizard.window.show(page)
    page.look()
    assert "no image on any disk" in shown(wizard.window)
    for label in ("Info", "Discard"):
        until(wizard.window, label)
        press(wizard.window, "enter")


def test_what_an_image_says_about_itself_cannot_steer_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "images", lambda *_: [found(host="a\x1b[2Jb\u202e")])
    wizard = make(tmp_path)
    page = ImagesPage(wizard)
    wizard.window.show(page)
    page.look()
    assert "\x1b" not in shown(wizard.window) and "\u202e" not in shown(wizard.window)


@pytest.mark.parametrize("state", [State.COMPLETE, State.PARTIAL, State.CLAIMED])
def test_only_a_complete_image_is_warned_of_as_a_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: State) -> None:
    monkeypatch.setattr(catalog, "images", lambda *_: [found(state)])
    wizard = make(tmp_path)
    page = ImagesPage(wizard)
    wizard.window.show(page)
    page.look()
    until(wizard.window, "Discard")
    text = " ".join(press(wizard.window, "enter").split())
    assert ("The session in it is lost" in text) is (state is State.COMPLETE)
    assert ("no session is lost" in text) is (state is not State.COMPLETE) and "Yes, discard" in text
