"""`khib` without a command: in A the wizard, in C its menu, in B a word on the way back."""

from __future__ import annotations

from typing import Any

import pytest

from khib_tui import cli, present
from khib_tui.commands import image, restore
from khib_tui.commands import wizard as command
from khib_tui.errors import Exit
from khib_tui.events.types import Sink
from khib_tui.handover.cmdline import Words
from khib_tui.restorer import here


@pytest.fixture
def on_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """The restoring kernel, or the saver."""
    monkeypatch.setattr(here, "is_restorer", lambda: True)
    monkeypatch.setattr(here, "refuse_elsewhere", lambda: None)


@pytest.mark.usefixtures("on_c")
def test_on_c_it_is_the_menu_and_nothing_starts_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Words] = []
    monkeypatch.setattr(present, "use_screens", lambda _: True)
    monkeypatch.setattr(restore, "use_screens", lambda _: True)

    def menu(_wanted: str, words: Words, _sink: Sink) -> int:
        shown.append(words)
        return 7

    monkeypatch.setattr(present, "restore", menu)
    assert cli.main([]) == 7 and shown[0].countdown == -1


@pytest.mark.usefixtures("on_c")
def test_on_c_without_a_screen_images_are_listed_and_none_is_resumed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []

    def listed(arguments: Any, _sink: Sink) -> int:
        asked.append(arguments)
        return Exit.OK

    monkeypatch.setattr(image, "image_list", listed)
    assert cli.main(["--plain"]) == Exit.OK and asked
    assert "`khib restore` resumes" in capsys.readouterr().out


@pytest.mark.usefixtures("on_c")
def test_in_b_nothing_is_restored(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "entered", lambda: True)
    monkeypatch.setattr(restore, "restore", lambda *_, **__: pytest.fail("B must not restore"))
    assert cli.main([]) == Exit.OK and "khib back" in capsys.readouterr().out
