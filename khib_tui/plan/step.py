"""What all steps share: their two verbs, and the run they are part of."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Protocol

from msgspec import Struct, field

from khib_tui.errors import KhibError
from khib_tui.events.types import Message, Sink
from khib_tui.handover.handover import Handover
from khib_tui.handover.report import Report, ReportPage
from khib_tui.i18n import _
from khib_tui.linux.syscalls import kexec_unload
from khib_tui.model.identity import TargetRef
from khib_tui.model.origin import Used
from khib_tui.seal.file import Opened


class Action(Protocol):
    """A step of a plan."""

    def describe(self) -> str:
        """Describe the step in one line, with all that matters."""

    def apply(self, context: Context) -> None:
        """Do it."""


class Context(Struct):
    """What the steps of one run share while they are applied.

    `opened` is the seal of the image that is to be made, `held` what keeps others from the target, `last` what is
    given back after all of that. `place` is where the image
    goes, once that was looked at, and `moved` tells whether it has moved since, if it can; `watched` are places besides that
    nobody may change meanwhile. `lent` has back what A lends for the time of the image, and `dead` is an image there that is
    none any more. `changed` is set by a step that changed what outlasts the run: files, images, or the session, which was
    away. `closing` is what must still become of the image, whatever else fails; `armed` takes back what the next start was
    told.
    """

    sink: Sink
    opened: Opened | None = None
    place: TargetRef | None = None
    moved: Callable[[TargetRef], bool] | None = None
    watched: tuple[Used, ...] = ()
    dead: str = ""
    page: ReportPage | None = None
    handover: Handover | None = None
    report: Report | None = None
    loaded: bool = False
    changed: bool = False
    away_seconds: float = 0.0
    held: ExitStack = field(default_factory=ExitStack)
    last: ExitStack = field(default_factory=ExitStack)
    closing: Action | None = None
    armed: ExitStack = field(default_factory=ExitStack)
    lent: ExitStack = field(default_factory=ExitStack)

    def undo(self) -> None:
        """Give back what a failed run holds, the memory of a loaded saver, and let no image stay that could be resumed."""
        self.release()
        self.disarm()
        if self.closing is not None:
            with suppress(Exception):
                self.closing.apply(self)
        self.lent.close()
        if self.loaded:
            self.loaded = False
            with suppress(KhibError):
                kexec_unload()
                self.sink(Message(_("the saver was unloaded; this session goes on as it was")))

    def disarm(self) -> None:
        """Let the next start be a usual one again."""
        self.armed.close()

    def release(self) -> None:
        """Let the target go, which was held so that nothing else took it."""
        with self.last:
            self.held.close()
