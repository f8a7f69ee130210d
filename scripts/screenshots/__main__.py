"""Draws the main screens; with --check it only tells which pictures are stale."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from urwid.testing import ScriptedScreen, render_runs, resolve_runs

from khib_tui.model import machine
from khib_tui.model.settings import Settings
from screens.ui import theme
from screens.ui.window import Window
from screens.wizard.app import STEPS, Wizard
from screenshots.svg import draw

ROOT = Path(__file__).resolve().parents[2]
FACTS = ROOT / "tests/machines/amd-laptop-ubuntu.json"
PLACE = ROOT / "docs/captures"
SIZE = (80, 24)
COLOURS = 16
# Pages by the numbers of the steps; all answers are the proposed ones, and the empty partition.
STEPS_SHOWN = {"checks": 0, "memory": 2, "place": 3, "boot-entry": 5, "review": len(STEPS) - 1}


def wizard() -> Wizard:
    """The wizard on a machine of the collection, on a screen without a terminal."""
    facts = machine.load(FACTS)
    settings = Settings(target="/dev/nvme0n1p4")
    made = Wizard(
        Window(ScriptedScreen(size=SIZE)), facts, settings, Path("/etc/khib/khib.toml"), lambda: facts, read_only=True
    )
    made.window.banner = ""
    return made


def pictures() -> Iterator[tuple[str, str]]:
    """Give the name of each picture, and what it shows."""
    yield "welcome", picture(Wizard.welcome)
    for name, step in STEPS_SHOWN.items():
        yield name, picture(lambda made, step=step: made.go(step))  # type: ignore[misc]


def picture(show: Callable[[Wizard], None]) -> str:
    """Draw what the wizard shows."""
    made = wizard()
    show(made)
    return draw(resolve_runs(render_runs(made.window.stack, SIZE, focus=True), theme.PALETTE, colors=COLOURS), SIZE[0])


def main(words: Sequence[str]) -> int:
    """Write the pictures.

    :returns: the exit code: 1 if one was stale and is only to be told.
    """
    stale = []
    for name, text in pictures():
        path = PLACE / f"{name}.svg"
        if path.exists() and path.read_text() == text:
            continue
        stale.append(name)
        if "--check" not in words:
            path.write_text(text)
    for name in stale:
        print(f"{name}.svg {'is stale: run scripts/captures' if '--check' in words else 'written'}", file=sys.stderr)
    return int("--check" in words and bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
