"""The wizard in A: from the checks to a machine that hibernates, and its everyday page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from khib_tui.decide.rehearsals import Now
from khib_tui.errors import Exit, KhibError, UsageError
from khib_tui.events.sinks import quiet
from khib_tui.handover.handover import Mode
from khib_tui.i18n import N_, _
from khib_tui.model.journey import Journey
from khib_tui.model.machine import Machine
from khib_tui.model.settings import Settings
from khib_tui.model.target import Kind, Target
from khib_tui.plan import draft
from khib_tui.plan.boot import is_set_up
from khib_tui.plan.echo import echo_task
from khib_tui.plan.execute import execute
from khib_tui.plan.journal import Journal
from khib_tui.plan.now import now
from khib_tui.plan.step import Action, Context
from khib_tui.plan.task import Ending, Errand, Task, task_of
from khib_tui.seal.file import Opened
from khib_tui.target import look
from screens.ui.window import Window
from screens.wizard import travel
from screens.wizard.boot import BootPage
from screens.wizard.checks import ChecksPage
from screens.wizard.history import HistoryPage
from screens.wizard.home import HomePage
from screens.wizard.images import ImagesPage
from screens.wizard.kernel import KernelPage
from screens.wizard.memory import MemoryPage
from screens.wizard.options import OptionsPage
from screens.wizard.passphrase import ask_secret, seal_text
from screens.wizard.rehearsals import RehearsalsPage
from screens.wizard.result import ResultPage
from screens.wizard.review import ReviewPage
from screens.wizard.run import RunPage
from screens.wizard.seal import SealPage
from screens.wizard.settings import SettingsPage
from screens.wizard.step import StepPage
from screens.wizard.target import TargetPage
from screens.wizard.welcome import WelcomePage

Reread = Callable[[], Machine]
READ_ONLY = N_("--facts: read-only")
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
        self.editing = False
        window.logs = lambda: [] if read_only else travel.logs(path)

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
            self.window.page.tell(_("Your answers of the last time are here again."))

    def welcome(self) -> None:
        """Show what a new user should know."""
        self.window.show(WelcomePage(self))

    def home(self) -> None:
        """Show the everyday page."""
        self.editing = False
        self.window.show(HomePage(self))

    def history(self) -> None:
        """Show the earlier journeys."""
        self.window.show(HistoryPage(self))

    def choices(self) -> None:
        """Show the choices."""
        self.editing = False
        self.window.show(SettingsPage(self))

    def edit(self, at: int) -> None:
        """Show one page of the wizard, from which one comes back to the choices."""
        self.editing = True
        self.go(at)

    @property
    def journeys(self) -> list[Journey]:
        """What is remembered, the oldest first; nothing of another machine."""
        return [] if self.read_only else Journal.beside(self.path).all()

    @property
    def now(self) -> Now:
        """What runs now."""
        return now(self.machine, self.settings)

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
        if self.editing:
            self.choices()
        elif self.ready:
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
            page = STEPS[at](
                self, _("Settings") if self.editing else _("Step {at} of {count}").format(at=at + 1, count=len(STEPS))
            )
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
        if self.editing:
            self.choices()
        else:
            self.go(self.at + 1)

    def back(self) -> None:
        """Go back a page, with the answers as they are; before the first one is home, or the welcome."""
        if self.editing:
            self.choices()
        elif self.at:
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

        self.window.background(_("Looking at this machine..."), self.reread, done)

    def inspect(self, target: Target, need: int, then: Callable[[], None]) -> None:
        """See that a target's file can be written, with `need` bytes, then go on; what forbids it is shown."""
        device = self.machine.device(target.device)
        if device is None or target.kind is not Kind.FILE or self.read_only or not self.machine.root:
            then()
            return
        self.window.background(
            _("Looking at the filesystem..."), partial(self.look, device, target.path, need), lambda _done: then()
        )

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

        self.window.background(_("Looking at this machine..."), prepare, show)

    def confirm(self, task: Task, opened: Opened | None = None) -> None:
        """Ask before the machine goes away; a rehearsal was asked for already."""
        if task.mode is not Mode.SAVE:
            self.run(task, opened)
            return
        text = travel.question(task, self.journeys, self.now)
        self.window.ask(
            _("Hibernate now?"), text, [(_("No"), lambda: None), (_("Hibernate now"), lambda: self.run(task, opened))]
        )

    def rehearse(self) -> None:
        """Show the rehearsals."""
        self.window.show(RehearsalsPage(self))

    def echo(self) -> None:
        """Rehearse the echo, decided on fresh facts."""
        if not self.refuses():
            prepare = lambda: echo_task(self.reread(), self.path)  # noqa: E731
            self.window.background(_("Looking at this machine..."), prepare, self.run)

    def run(self, task: Errand, opened: Opened | None = None) -> None:
        """Run the steps, with their page."""
        self.window.show(RunPage(self, task, opened))

    def arrived(self, task: Errand, ending: Ending) -> None:
        """Show how it ended."""
        if not ending.code and (task.keep or task.rung is None):
            self.kept = self.settings
            draft.drop(self.path)
        self.window.code = ending.code
        self.window.show(ResultPage(self, task, ending))
        travel.ask_seen(self.window, task, ending)


STEPS: tuple[MakeStep, ...] = (ChecksPage, KernelPage, MemoryPage, TargetPage, OptionsPage, BootPage, ReviewPage)


def foreign() -> UsageError:
    """Return why nothing is applied."""
    return UsageError(
        _("these are the facts of another machine (--facts): nothing is applied"), ident="HIB-E-FACTS-READ-ONLY",
        hint=_("leave --facts out to set this machine up"),
    )  # fmt: skip
