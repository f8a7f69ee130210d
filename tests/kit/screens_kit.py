"""What the tests of the screens share: a screen without a terminal, keys by what is on it, a wizard for any machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import urwid
from urwid.testing import ScriptedScreen

from khib_tui.model import machine
from khib_tui.model.machine import Machine
from khib_tui.model.settings import Settings
from screens.ui.window import Window
from screens.wizard.app import Wizard
from tests.kit import MACHINES

PATIENCE = 8.0
CHECKS, KERNEL, MEMORY, TARGET, OPTIONS, REVIEW = range(6)


class DrivenScreen(ScriptedScreen):
    """Presses keys as soon as a text is on the screen, in the order of the script; fails if it never is."""

    def __init__(self, script: Sequence[tuple[str, Sequence[str]]] = (), size: tuple[int, int] = (80, 24)) -> None:
        super().__init__(size=size)
        self.script = list(script)
        self.seen: list[str] = []
        self.clears = 0
        self.fail: Any = None

    def clear(self) -> None:
        """Count the full redraws."""
        self.clears += 1

    @property
    def shown(self) -> str:
        """Return the whole screen as text."""
        return "\n".join(self.last_text)

    def hook_event_loop(self, event_loop: Any, callback: Callable[..., Any]) -> None:
        """Feed no batches, but watch the clock."""
        self._event_loop, self._callback = event_loop, callback
        self.fail = event_loop.alarm(PATIENCE, self.give_up)

    def unhook_event_loop(self, event_loop: Any) -> None:
        """Forget the clock."""
        if self.fail is not None:
            event_loop.remove_alarm(self.fail)
        self._event_loop = self._callback = self.fail = None

    def give_up(self) -> None:
        """Say what was waited for."""
        raise AssertionError(f"waited for {self.script[:1]}, shown was:\n{self.shown}")

    def draw_screen(self, size: tuple[int, int], canvas: urwid.Canvas) -> None:
        """Keep the frame, and press what is due."""
        feeder, self._feed_handle = self._event_loop, object()
        super().draw_screen(size, canvas)
        self._feed_handle = None
        if not self.seen or self.seen[-1] != self.shown:
            self.seen.append(self.shown)
        if feeder is not None and self.script and self.script[0][0] in self.shown:
            keys: list[str | tuple[str, int, int, int]] = [*self.script.pop(0)[1]]
            feeder.alarm(0, lambda: self._callback(keys, []) if self._callback else None)


@cache
def facts(name: str = "qemu-bios-1g") -> Machine:
    """Return a machine of the collection."""
    return machine.load(MACHINES / f"{name}.json")


def make(tmp_path: Path, name: str | Machine = "qemu-bios-1g", *, size: tuple[int, int] = (80, 24), **given: Any) -> Wizard:
    """Make a wizard for a machine, on a screen without a terminal."""
    here = facts(name) if isinstance(name, str) else name
    settings = Settings(boot_dir=str(tmp_path), **given)
    wizard = Wizard(Window(DrivenScreen(size=size)), here, settings, tmp_path / "khib.toml", lambda: here)
    wizard.look = lambda *_: None
    return wizard


def at(tmp_path: Path, step: int, name: str | Machine = "qemu-bios-1g", **given: Any) -> Wizard:
    """Make a wizard that stands on one of its steps, with a fit target."""
    wizard = make(tmp_path, name, **{"target": "/dev/vdb1", **given})
    wizard.go(step)
    return wizard


def set_up(tmp_path: Path) -> None:
    """Make a machine look as if it were set up."""
    settings = Settings(boot_dir=str(tmp_path))
    entry = tmp_path / "loader/entries/khib-restore.conf"
    for path, text in ((entry, "linux /khib/vmlinuz\n"), (settings.initramfs, "")):
        path.parent.mkdir(parents=True)
        path.write_text(text)


def shown(window: Window) -> str:
    """Draw, and give the screen as text."""
    window.loop.draw_screen()
    return "\n".join(window.loop.screen.last_text)  # type: ignore[attr-defined]


def press(window: Window, *keys: str) -> str:
    """Press keys, drawing after each; give the screen as text."""
    text = shown(window)
    for key in keys:
        window.loop.process_input([key])
        text = shown(window)
    return text


def at_cursor(window: Window) -> str:
    """Return the text from the hardware cursor to the end of its row."""
    shown(window)
    canvas = window.loop.screen.canvases[-1]  # type: ignore[attr-defined]
    assert canvas.cursor is not None, "a screen reader has no cursor to follow"
    column, row = canvas.cursor
    return str(canvas.decoded_text[row])[column:].rstrip()


def until(window: Window, text: str, key: str = "tab", tries: int = 40) -> None:
    """Press a key until the cursor stands on a text."""
    for _ in range(tries):
        if at_cursor(window).startswith(text):
            return
        press(window, key)
    raise AssertionError(f"{key} never reaches {text!r}:\n{shown(window)}")
