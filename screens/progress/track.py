"""How far a run is, as its events tell: steps or stages with marks, one progress, the last messages. No urwid here."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from khib_tui.events.sinks import PlainSink, lines_of
from khib_tui.events.types import (
    Event,
    Failure,
    Finding,
    Level,
    Message,
    Progress,
    Result,
    Severity,
    Stage,
    StageName,
    Stages,
    Status,
    Step,
)
from khib_tui.i18n import N_, _
from khib_tui.model.units import duration, size

PLANNED, RUNNING, DONE, FAILED = "[    ]", "[ .. ]", N_("[done]"), N_("[FAIL]")
STAGES = {
    "load": N_("this system: load the saver"), "scan": N_("saver: look at the memory"), "save": N_("saver: write the image"),
    "verify": N_("saver: read the image back"), "leave": N_("saver: leave the machine"),
    "restore": N_("restorer: read the image into memory"), "back": N_("this system: go on"),
}  # fmt: skip
MARKS = {"planned": PLANNED, "started": RUNNING, "done": DONE, "failed": FAILED}
ATTRIBUTES = {PLANNED: "dim", RUNNING: "heading", DONE: "ok", FAILED: "blocker"}
LAST = 4
GRAPH = 50
LOGGED = 500
HEIGHTS = "_.:-=+*#"


@dataclass
class Line:
    """A step or stage, and what is known about it."""

    text: str
    mark: str = PLANNED
    detail: str = ""

    @property
    def attribute(self) -> str:
        """Return the display attribute."""
        return ATTRIBUTES.get(self.mark, "heading")

    def __str__(self) -> str:
        return f"{_(self.mark)} {self.text}{f' ({self.detail})' if self.detail else ''}"


class Track:
    """Takes events and keeps what a screen shows of them.

    :param planned: steps that are known before; without them the stages are listed as they come.
    :param away: stages of the other kernels, which come after so many steps.
    """

    def __init__(
        self, planned: Sequence[Step] = (), clock: Callable[[], float] = time.monotonic, *,
        away: Sequence[StageName] = (), jump: int = 0,
    ) -> None:  # fmt: skip
        self.steps = [Line(step.text) for step in planned]
        self.away, self.jump = [Line(f"  {_(STAGES[stage])}") for stage in away], jump
        self.stages: dict[str, Line] = {}
        self.progress: Progress | None = None
        self.messages: deque[str] = deque(maxlen=LAST)
        self.log: deque[str] = deque(maxlen=LOGGED)
        self.clock = clock
        self.started = clock()
        self.result: Result | None = None
        self.rates: deque[float] = deque(maxlen=GRAPH)

    @property
    def lines(self) -> list[Line]:
        """Return the lines in order: the stages of a save in the order in which they happen."""
        order = list(STAGES)
        names = sorted(self.stages, key=lambda name: order.index(name) if name in order else len(order))
        return [*self.steps[: self.jump], *self.away, *self.steps[self.jump :]] or [self.stages[name] for name in names]

    @property
    def current(self) -> int:
        """Return the index of the line that is under way, or of the last one that was."""
        begun = [index for index, line in enumerate(self.lines) if line.mark != PLANNED]
        running = [index for index in begun if self.lines[index].mark not in (DONE, FAILED)]
        return (running or begun or [0])[-1]

    def take(self, event: Event) -> None:
        """Take one event."""
        self.log.extend(f"{duration(self.clock() - self.started):>10}  {line}" for line in lines_of(event))
        match event:
            case Step(number=number, status=status) if 0 < number <= len(self.steps):
                self.steps[number - 1].mark = MARKS[status]
                self.progress = None
                if number == self.jump and status == Status.DONE:
                    for line in self.away:
                        line.mark = DONE
            case Stages(stages=stages, behind=behind):
                for at, stage in enumerate(stages):
                    self._line(stage).mark = DONE if at < behind else self._line(stage).mark
            case Stage():
                self._stage(event)
            case Progress():
                self._progress(event)
            case Message(text=text, level=level):
                self.messages.append(text if level == Level.INFO else f"{_(level)}: {text}")
            case Finding(severity=severity, what=what) if severity != Severity.OK:
                self.messages.append(f"{PlainSink.marks[severity]} {what}")
            case Failure(message=message):
                self.messages.append(_("error: {message}").format(message=message))
            case Result():
                self.result = event

    def _stage(self, event: Stage) -> None:
        line = self._line(event.stage)
        line.mark = MARKS[event.status]
        line.detail = event.detail or line.detail
        if event.status == Status.DONE and event.seconds is not None:
            line.detail = ", ".join([*([event.detail] if event.detail else []), duration(event.seconds)])
        if self.steps and event.detail:
            self.messages.append(f"{line.text}: {event.detail}")

    def _progress(self, event: Progress) -> None:
        former = self.progress
        if former is not None and former.stage != event.stage and self._line(former.stage).mark not in (DONE, FAILED):
            self._line(former.stage).mark = DONE
        if former is None or former.stage != event.stage:
            self.rates.clear()
        self.progress = event
        if event.unit == "bytes":
            self.rates.append(event.rate)
        line = self._line(event.stage)
        if line.mark != DONE:
            line.mark = f"[{int(percent(event)):3}%]" if event.done < event.total else DONE

    def _line(self, stage: str) -> Line:
        return self.stages.setdefault(stage, Line(_(STAGES.get(stage, stage))))

    def graph(self) -> str:
        """Draw the rates of the last updates, the newest at the right, each beside the fastest; empty without one."""
        most = max(self.rates, default=0.0)
        if not most:
            return ""
        drawn = "".join(HEIGHTS[round(rate / most * (len(HEIGHTS) - 1))] for rate in self.rates)
        return _("rate {graph} most {size}/s").format(graph=drawn, size=size(most))

    def compression(self) -> str:
        """Format what became of the memory so far; empty where nothing is written."""
        event = self.progress
        if event is None or not event.image or not event.done:
            return ""
        return _("image {size}, {percent} % of the memory in it").format(
            size=size(event.image), percent=100 * event.image // event.done
        )

    def numbers(self) -> str:
        """Format amount, rate and times in one line of less than 78 columns."""
        elapsed = _("elapsed {duration}").format(duration=duration(self.clock() - self.started))
        event = self.progress
        if event is None:
            return elapsed
        if event.unit == "bytes":
            parts = [_("{done} of {total}").format(done=size(event.done), total=size(event.total)), f"{size(event.rate)}/s"]
        else:
            parts = [_("{done} of {total}").format(done=event.done, total=event.total) + f" {_(event.unit)}"]
        left = (
            _("{duration} left").format(duration=duration(event.eta))
            if event.eta is not None and event.done < event.total
            else ""
        )
        return "   ".join(part for part in (*parts, left, elapsed) if part)


def percent(event: Progress) -> float:
    """Return how much is done, 0 to 100."""
    return min(100.0 * event.done / event.total, 100.0) if event.total else 100.0
