"""Starting the wizard, and ending it."""

from __future__ import annotations

from pathlib import Path

from urwid.display import BaseScreen

from khib_tui.facts import probe
from khib_tui.model.machine import Machine
from khib_tui.model.settings import Settings
from screens.ui.window import Window
from screens.wizard.app import Reread, Wizard
from screens.wizard.run import RunPage


def run_wizard(
    machine: Machine, settings: Settings, settings_path: Path, *, reread: Reread = probe.probe,
    screen: BaseScreen | None = None, read_only: bool = False,
) -> int:  # fmt: skip
    """Run the wizard.

    :param reread: gives the facts of the machine anew, on Retry and before each run.
    :param screen: instead of the terminal, for tests.
    :param read_only: the facts are another machine's, so nothing is applied.
    :returns: the exit code.
    """
    window = Window(screen)
    wizard = Wizard(window, machine, settings, settings_path, reread, read_only=read_only)
    wizard.begin()
    try:
        window.run()
    finally:
        if isinstance(window.page, RunPage):
            window.page.finish()
    return window.code
