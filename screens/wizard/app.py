"""The wizard in A: from the checks to a machine that hibernates, and its everyday page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from urwid.display import BaseScreen

from khib_tui.errors import Exit, KhibError, UsageError
from khib_tui.events.sinks import quiet
from khib_tui.facts import probe
from khib_tui.handover.handover import Mode
from khib_tui.model.machine import Machine
from khib_tui.model.settings import Settings
from khib_tui.model.target import Kind, Target
from khib_tui.plan import draft
from khib_tui.plan.boot import is_set_up
from khib_tui.plan.execute import execute
from khib_tui.plan.hibernate import Jump
from khib_tui.plan.step import Action, Context
from khib_tui.plan.task import Ending, Task, task_of
from khib_tui.seal import file as sealfile
from khib_tui.seal.file import Opened
from khib_tui.target import look
from screens.ui.window import Window
from screens.wizard.boot import BootPage
from screens.wizard.checks import ChecksPage
from screens.wizard.home import HomePage
from screens.wizard.images import ImagesPage
from screens.wizard.kernel import KernelPage
from screens.wizard.memory import MemoryPage
from screens.wizard.options import OptionsPage
from screens.wizard.passphrase import ask_secret, seal_text
from screens.wizard.result import ResultPage
from screens.wizard.review import ReviewPage
from screens.wizard.run import RunPage
from screens.wizard.seal import SealPage
from screens.wizard.step import StepPage
from screens.wizard.target import TargetPage
from screens.wizard.welcome import WelcomePage

Reread = Callable[[], Machine]
READ_ONLY = "--facts: read-only"
MakeStep = Callable[["Wizard", str], StepPage]


class Wizard:
    """Knows the machine, the answers so far, and which page comes next. Pages give new settings, never change them."""

    def __init__(
        self, window: Window, machine: Machine, settings: Settings, path: Path, reread: Reread, *, read_only: bool = False
    ) -> None:
        self.window, self.machine, self.settings, self.path, self.reread = window, machine, settings, path, reread
        self.read_only = read_only
        window.banner = READ_ONLY if read_only else ""
        self.kept = settings
        self.look = look.refuse_unfit
        self.at = 0

    @property
    def ready(self) -> bool:
        """Return whether the machine is set up."""
        return not self.read_only and is_set_up(self.machine, self.settings)

    def begin(self) -> None:
        """Show the first page: home on a machine that is set up, a welcome on a new one. Former answers are there again."""
        former = None if self.read_only else draft.kept(self.path)
        self.settings = former or self.settings
        if self.ready:
            self.home()
        else:
            self.welcome()
        if former and former != self.kept and self.window.page:
            self.window.page.tell("Your answers of the last time are here again.")

    def welcome(self) -> None:
        """Show what a new user should know."""
        self.window.show(WelcomePage(self))

    def home(self) -> None:
        """Show the everyday page."""
        self.window.show(HomePage(self))

    def images(self) -> None:
        """Show the images on the disks."""
        if not self.refuses():
            self.window.show(ImagesPage(self))

    def seal(self) -> None:
        """Show the page that seals images."""
        if not self.refuses():
            self.window.show(SealPage(self))

    def refuses(self) -> bool:
        """Return whether nothing may be applied or read here, because the facts are another machine's; say so."""
        if self.read_only:
            self.window.complain(foreign())
        return self.read_only

    def sealed(self, text: str) -> None:
        """Go back from sealing, and say what became of it."""
        if self.ready:
            self.home()
        else:
            self.review()
        if text and self.window.page:
            self.window.page.tell(text)

    def apply(self, actions: Sequence[Action], text: str) -> None:
        """Apply steps that take but a moment, then go back from sealing and say `text`; an error stays on the page."""
        try:
            execute(actions, Context(quiet), quiet)
        except KhibError as error:
            self.window.complain(error)
            return
        self.sealed(text)

    def seal_text(self) -> str:
        """Return whether images will be sealed."""
        return seal_text(self.path)

    def go(self, at: int) -> None:
        """Show a page of the wizard by its number."""
        try:
            page = STEPS[at](self, f"Step {at + 1} of {len(STEPS)}")
        except KhibError as error:
            self.window.complain(error)
            return
        self.at = at
        self.window.show(page)

    def review(self) -> None:
        """Show the last page of the wizard."""
        self.go(len(STEPS) - 1)

    def keep(self, settings: Settings) -> None:
        """Keep the answers of a page without going anywhere."""
        if settings != self.settings and not self.read_only:
            draft.keep(settings, self.path)
        self.settings = settings

    def forget(self) -> None:
        """Go back to the choices that are in force, and home."""
        draft.drop(self.path)
        self.settings = self.kept
        self.home()

    def forward(self, settings: Settings) -> None:
        """Keep the answers of a page, and go on."""
        self.keep(settings)
        self.go(self.at + 1)

    def back(self) -> None:
        """Go back a page, with the answers as they are; before the first one is home, or the welcome."""
        if self.at:
            self.go(self.at - 1)
        elif self.ready:
            self.home()
        else:
            self.welcome()

    def look_again(self, show: Callable[[], None]) -> None:
        """Read the facts of the machine again, then show a page."""

        def done(machine: Machine) -> None:
            self.machine = machine
            show()

        self.window.background("Looking at this machine...", self.reread, done)

    def inspect(self, target: Target, need: int, then: Callable[[], None]) -> None:
        """See that a target's file can be written, with `need` bytes, then go on; what forbids it is shown."""
        device = self.machine.device(target.device)
        if device is None or target.kind is not Kind.FILE or self.read_only or not self.machine.root:
            then()
            return
        self.window.background("Looking at the filesystem...", partial(self.look, device, target.path, need), lambda _: then())

    def leave(self) -> None:
        """End, from a page where nothing is unfinished."""
        self.window.end(Exit.OK)

    def travel(self, mode: Mode | None) -> None:
        """Decide on fresh facts, ask, and go; refusals are shown as the engine says them."""
        if self.refuses():
            return
        keep = mode is not Mode.REHEARSE and (self.kept != self.settings or not self.ready)

        def prepare() -> Task:
            self.machine = self.reread()
            return task_of(self.machine, self.settings, self.path, mode, keep=keep)

        def show(task: Task) -> None:
            if task.seal:
                ask_secret(self.window, task.seal, lambda opened: self.confirm(task, opened))
            else:
                self.confirm(task)

        self.window.background("Looking at this machine...", prepare, show)

    def confirm(self, task: Task, opened: Opened | None = None) -> None:
        """Ask before the machine goes away; a rehearsal was asked for already."""
        if task.mode is not Mode.SAVE:
            self.run(task, opened)
            return
        jump = next(step for step in task.journey if isinstance(step, Jump))
        bare = "" if task.seal else f"\n\nThe image is not sealed: {sealfile.UNSEALED.why}."
        text = f"This will {jump.describe()}.\n\n{task.later}{bare}"
        self.window.ask("Hibernate now?", text, [("No", lambda: None), ("Hibernate now", lambda: self.run(task, opened))])

    def rehearse(self) -> None:
        """Ask how far a rehearsal goes."""
        text = (
            "Jump only: into the saver and straight back; nothing is written.\n\n"
            "Save too: writes a whole image to the target, reads it back, gives it up, and comes back."
        )
        choices = [
            ("No", lambda: None),
            ("Jump only", lambda: self.travel(Mode.REHEARSE)),
            ("Save too", lambda: self.travel(Mode.REHEARSE_SAVE)),
        ]
        self.window.ask("Rehearse", text, choices)

    def run(self, task: Task, opened: Opened | None = None) -> None:
        """Run the steps, with their page."""
        self.window.show(RunPage(self, task, opened))

    def arrived(self, task: Task, ending: Ending) -> None:
        """Show how it ended."""
        if not ending.code and (task.keep or task.mode is None):
            self.kept = self.settings
            draft.drop(self.path)
        self.window.code = ending.code
        self.window.show(ResultPage(self, task, ending))


STEPS: tuple[MakeStep, ...] = (ChecksPage, KernelPage, MemoryPage, TargetPage, OptionsPage, BootPage, ReviewPage)


def foreign() -> UsageError:
    """Return why nothing is applied."""
    return UsageError(
        "these are the facts of another machine (--facts): nothing is applied", ident="HIB-E-FACTS-READ-ONLY",
        hint="leave --facts out to set this machine up",
    )  # fmt: skip


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
