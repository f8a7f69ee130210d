"""`khib lab boots`: a cycle of each computer with each firmware and boot loader, as a table."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from khib_tui.errors import KhibError
from khib_tui.events.types import Level, Message, Sink
from khib_tui.lab import bootdisk
from khib_tui.lab.cycle import Session
from khib_tui.lab.demo import cycles, is_good
from khib_tui.lab.loader import FIRMWARES
from khib_tui.lab.setup import workspace
from khib_tui.lab.table import told
from khib_tui.model.units import duration


@dataclass(frozen=True)
class Row:
    """What came of one combination: `seconds` of the whole cycle, and what went wrong, empty if nothing."""

    loader: str
    firmware: str
    machine: str
    seconds: float = 0.0
    wrong: str = ""

    @property
    def line(self) -> str:
        """Format it."""
        verdict = f"NO: {self.wrong}" if self.wrong else f"resumed, away and back in {duration(self.seconds)}"
        return f"{self.loader:12} {self.firmware:4} {self.machine:8} {verdict}"


def boots(arguments: Namespace, sink: Sink) -> int:
    """Play one cycle of each combination that was asked for.

    :param arguments: as for `bootdisk.prepare`, with lists of `loaders` and `machines`.
    """
    rows = []
    for loader, firmware, machine in combinations(arguments):
        one = Namespace(**(vars(arguments) | {"loader": loader, "firmware": firmware, "machine": machine, "boot": "disk"}))
        bootdisk.say_room(one, sink)
        with workspace(arguments.keep and arguments.keep / f"{loader}-{firmware}-{machine}") as directory:
            rows.append(row(one, directory, sink))
        sink(Message(rows[-1].line, Level.ERROR if rows[-1].wrong else Level.INFO))
    return told(rows, list(map(asdict, rows)), "lab boots", "combinations resumed", sink)


def combinations(arguments: Namespace) -> Iterator[tuple[str, str, str]]:
    """Yield loader, firmware and machine of each combination that exists."""
    for machine in arguments.machines:
        for loader in arguments.loaders:
            for firmware in (one for one in FIRMWARES[loader] if one in arguments.firmwares):
                yield loader, firmware, machine


def row(arguments: Namespace, directory: Path, sink: Sink) -> Row:
    """Play one combination; its failure is part of the row."""
    named = arguments.loader, arguments.firmware, arguments.machine
    try:
        session = Session(bootdisk.prepare(arguments, directory, sink), sink)
        try:
            result = cycles(session, arguments, sink)
        finally:
            session.end()
    except KhibError as error:
        return Row(*named, wrong=error.message)
    wrong = "" if is_good(result) else result.detail or "A's disk was changed while it slept"
    return Row(*named, result.hibernate_seconds + result.resume_seconds, wrong)
