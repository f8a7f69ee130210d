"""What is said around a journey: before a hibernation, and after a jump about the saver's screen."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from khib_tui.decide import screen
from khib_tui.decide.before import before
from khib_tui.decide.rehearsals import Now
from khib_tui.i18n import N_, _
from khib_tui.model.journey import Journey, Rung
from khib_tui.plan import log
from khib_tui.plan.hibernate import Jump
from khib_tui.plan.journal import Journal
from khib_tui.plan.task import Ending, Errand, Task
from khib_tui.seal import file as sealfile
from screens.ui.logbox import Log
from screens.ui.window import Window

UNSEEN = N_(
    "Saving works without a screen too: wait until the machine is off; Esc stops it, unseen as well. "
    "Whether it shows may depend on where khib was started: try a text console (Ctrl-Alt-F3) instead of "
    "a desktop, or a serial console, which A's console= parameters name. With `plain = true` in the "
    "settings the saver writes lines instead of screens."
)


def question(task: Task, journeys: Sequence[Journey], now: Now) -> str:
    """Return what is to be known before a hibernation begins."""
    jump = next(step for step in task.journey if isinstance(step, Jump))
    bare = "" if task.seal else "\n\n" + _("The image is not sealed: {why}.").format(why=sealfile.unsealed().why)
    known = "\n".join(before(task.choice, journeys, now))
    deed = _("This will {deed}.").format(deed=jump.describe())
    return f"{deed}\n\n{known}\n\n{task.later}{bare}"


def ask_seen(window: Window, task: Errand, ending: Ending) -> None:
    """After a rehearsal that went well, ask whether the saver's screen was seen, and keep the answer."""
    if ending.code or task.rung not in (Rung.JUMP, Rung.SAVE) or not isinstance(task, Task):
        return
    journal, rung = Journal.beside(task.settings_path), task.rung

    def unseen() -> None:
        journal.saw(rung, False)
        window.inform(_("The saver's screen"), f"{reason(task)}{_(UNSEEN)}")

    choices = [(_("Yes"), lambda: journal.saw(rung, True)), (_("No"), unseen), (_("I did not look"), lambda: None)]
    text = _("Did you see the saver's screen while this system was away?")
    window.ask(_("The saver's screen"), text, choices, focus=2)


def reason(task: Task) -> str:
    """Return why the screen stays dark, as far as that is known."""
    choice = task.choice
    dark = screen.screen(choice.machine, choice.kernel, choice.region).dark
    return _("On this machine that is to be expected: {dark}.").format(dark=dark) + "\n\n" if dark else ""


def logs(settings_path: Path) -> list[Log]:
    """Return the logs that are kept, the newest first."""
    found = log.listed(Journal.beside(settings_path).folder)
    return [(path.name.removesuffix(log.SUFFIX), partial(lines, path)) for path in found]


def lines(path: Path) -> list[str]:
    """Read a log, or say why that is impossible."""
    try:
        return [f"{path}:", *log.read(path)]
    except OSError as error:
        return [f"{path}: {error.strerror}"]
