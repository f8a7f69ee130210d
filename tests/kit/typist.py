"""Somebody at the console of the lab's machine: reads its screen as a terminal shows it, and types what the screen asks for."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any, cast

from urwid.vterm import TermCanvas, TermModes

from khib_tui.lab import vm
from khib_tui.lab.cycle import Session

COLUMNS, ROWS = 80, 24
KEYS = {
    "enter": b"\r", "tab": b"\t", "esc": b"\x1b", "space": b" ",
    "up": b"\x1b[A", "down": b"\x1b[B", "right": b"\x1b[C", "left": b"\x1b[D",
}  # fmt: skip
# What is typed faster than the emulated machine draws would meet the former screen.
SETTLED = 1.0
PATIENCE = 240.0


class Typist:
    """Sees what the console shows from now on. `pages` are the screens that were waited for, each under a name."""

    def __init__(self, session: Session) -> None:
        self.session, self.path = session, session.lab.directory / "console.log"
        self.at = self.path.stat().st_size if self.path.exists() else 0
        deaf = SimpleNamespace(
            term_modes=TermModes(), respond=lambda *_: None, set_title=lambda *_: None, beep=lambda *_: None,
            leds=lambda *_: None,
        )  # fmt: skip
        self.screen = TermCanvas(COLUMNS, ROWS, cast(Any, deaf))
        self.pages: list[tuple[str, str]] = []

    def look(self) -> str:
        """Read what came meanwhile; give the screen as text."""
        with self.path.open("rb") as stream:
            stream.seek(self.at)
            data = stream.read()
        self.at += len(data)
        if data:
            self.screen.addstr(data)
        return "\n".join(b"".join(cell[2] for cell in row).decode("latin-1").rstrip() for row in self.screen.term)

    def at_cursor(self) -> str:
        """Return the text from the cursor to the end of its row."""
        rows = self.look().split("\n")
        column, row = self.screen.term_cursor
        return rows[row][column:].strip()

    def wait(self, *texts: str, name: str = "", patience: float = PATIENCE) -> str:
        """Wait until the screen has all texts and stands still; keep it if it has a name.

        :raises LabError: it never has.
        """
        began, nudged, last, since = time.monotonic(), 0, "", time.monotonic()
        while (waited := time.monotonic() - began) < patience:
            text = self.look()
            if text != last:
                last, since = text, time.monotonic()
            flat = " ".join(text.split())
            if all(part in flat for part in texts) and (time.monotonic() - since > SETTLED or not name):
                if name:
                    self.pages.append((name, text))
                return text
            if waited > vm.NUDGE * (nudged + 1):
                self.session.running.nudge(nudged > 0)
                nudged += 1
            time.sleep(0.1)
        raise self.session.lost(f"the screen never showed {texts}, but:\n{self.look()}")

    def press(self, *keys: str) -> None:
        """Press keys, each once the last was answered."""
        for key in keys:
            self.session.running.type(KEYS.get(key, key.encode()))
            time.sleep(SETTLED)

    def go_to(self, label: str, key: str = "tab", tries: int = 40) -> None:
        """Press a key until the cursor stands on a label.

        :raises LabError: it never does.
        """
        for _ in range(tries):
            if self.at_cursor().startswith(label):
                return
            self.press(key)
        raise self.session.lost(f"{key} never leads to {label!r}:\n{self.look()}")

    def choose(self, label: str, key: str = "tab") -> None:
        """Go to a label, and press Enter."""
        self.go_to(label, key)
        self.press("enter")
