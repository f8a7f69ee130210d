"""What happens, as typed events: the `--json` lines, and what every progress screen draws.

Each event is one JSON object a line, told apart by its `event` key; sizes are bytes, times are seconds.
`docs/events.md` lists them all.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Protocol

import msgspec

from khib_tui.errors import KhibError
from khib_tui.i18n import N_, _
from khib_tui.model import jsontext
from khib_tui.model.text import clean


class Level(StrEnum):
    """How much a message matters."""

    INFO = "info"
    WARNING = N_("warning")
    ERROR = N_("error")


class Severity(StrEnum):
    """What a finding means for hibernating: a blocker forbids it."""

    OK = "ok"
    WARNING = "warning"
    BLOCKER = "blocker"


class Status(StrEnum):
    """Where a step or a stage is."""

    PLANNED = "planned"
    STARTED = "started"
    DONE = "done"
    FAILED = "failed"


class StageName(StrEnum):
    """All stages: of A, B and C, of exports, of a kernel that is built, and of the lab."""

    LOAD = N_("load")
    INITRAMFS = N_("initramfs")
    SCAN = N_("scan")
    SAVE = N_("save")
    VERIFY = N_("verify")
    LEAVE = N_("leave")
    PASSPHRASE = N_("passphrase")
    RESTORE = N_("restore")
    BACK = N_("back")
    EXPORT = N_("export")
    KERNEL = N_("kernel")
    LAB_KERNEL = "lab kernel"
    LAB_SYSTEM = "lab system"
    DISKS = N_("disks")
    BOOT = "boot A"


class Event(msgspec.Struct, frozen=True, tag_field="event"):
    """Base of all events."""


class Message(Event, frozen=True, tag="message"):
    """Something worth a line."""

    text: str
    level: Level = Level.INFO


class Finding(Event, frozen=True, tag="finding"):
    """One answer of a check: what was found, why it matters, what to do about it."""

    ident: str
    severity: Severity
    what: str
    why: str = ""
    fix: str = ""


class Step(Event, frozen=True, tag="step"):
    """A step of a plan."""

    number: int
    total: int
    text: str
    status: Status
    seconds: float | None = None


class Progress(Event, frozen=True, tag="progress"):
    """How far a long stage is, at most four times a second; `rate` is in bytes (or units) a second.

    `save` counts memory, and `image` the bytes that became of it; `verify` and `restore` count bytes of the image.
    """

    stage: StageName
    done: int
    total: int
    elapsed: float
    rate: float = 0.0
    eta: float | None = None
    unit: str = "bytes"
    image: int = 0


class Stage(Event, frozen=True, tag="stage"):
    """A stage begins or ends: of A, B and C, or of the lab; it is never `planned`."""

    stage: StageName
    status: Status
    detail: str = ""
    seconds: float | None = None


class Stages(Event, frozen=True, tag="stages"):
    """All stages of a journey in their order, over A, B and C; the first `behind` of them are over."""

    stages: tuple[StageName, ...]
    behind: int = 0


class Result(Event, frozen=True, tag="result"):
    """The last event of a command that did its work; `data` is below."""

    verb: str
    ok: bool
    text: str = ""
    data: dict[str, Any] = {}


class Failure(Event, frozen=True, tag="error"):
    """The last event of a command that did not do its work, and why."""

    ident: str
    message: str
    hint: str = ""
    exit_code: int = 1

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """Translate an exception: cause, next step, identifier and exit code."""
        if isinstance(error, KhibError):
            return cls(error.ident, error.message, error.hint or "", int(error.exit_code))
        if isinstance(error, OSError):
            name = f"{clean(str(error.filename))}: " if error.filename else ""
            return cls("HIB-E-IO", f"{name}{clean(str(error.strerror or error), 500)}", _("check the medium and its cable"))
        text = _("a defect of khib: {type}: {error}").format(type=type(error).__name__, error=clean(str(error), 500))
        return cls("HIB-E-DEFECT", text, _("please report it with the output of `khib facts`"))

    @property
    def text(self) -> str:
        """The failure as a screen shows it: cause, identifier, next step."""
        return f"{self.message} [{self.ident}]" + (f"\n-> {self.hint}" if self.hint else "")


class LabResult(Event, frozen=True, tag="lab-result"):
    """The last event of `khib lab demo`: what it saw, times of the last cycle; more below."""

    resumed: bool
    memory_intact: bool
    cycles: int
    image_bytes: int
    ram_bytes: int
    save_seconds: float
    restore_seconds: float
    hibernate_seconds: float
    resume_seconds: float
    disks_identical: bool = True
    fsck_clean: bool | None = None
    detail: str = ""
    sealed: bool = False


AnyEvent = Message | Finding | Step | Progress | Stage | Stages | Result | Failure | LabResult


class Sink(Protocol):
    """Whoever takes events: a terminal, a JSON stream, a screen, a list in a test."""

    def __call__(self, event: Event, /) -> None:
        """Take one event; must not block for long."""


def encode(event: Event) -> bytes:
    """Return the JSON line of an event, without its newline: values as they are, in characters that steer no terminal.

    File names that are no UTF-8 are told with escapes, for JSON has no bytes.
    """
    return jsontext.encode(event)


def decode(line: bytes | str) -> AnyEvent:
    """Read an event back from its JSON line.

    :raises msgspec.ValidationError: the line is JSON but no event of ours.
    :raises msgspec.DecodeError: the line is no JSON.
    """
    event: AnyEvent = msgspec.json.decode(line, type=AnyEvent)
    return event
