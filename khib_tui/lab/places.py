"""`khib lab places`: the image in a file of A's own filesystem, on each kind of filesystem and what lies below it."""

from __future__ import annotations

import os
from argparse import Namespace
from dataclasses import asdict, dataclass, field
from pathlib import Path

import msgspec

from khib_tui.errors import KhibError
from khib_tui.events.types import Level, Message, Sink
from khib_tui.lab import disks, sealed, setup
from khib_tui.lab.cycle import LabError, Session
from khib_tui.lab.disks import Partition
from khib_tui.lab.guest.place import CHECKS, FILE
from khib_tui.lab.prints import PACKAGES
from khib_tui.lab.setup import TARGET, Lab, workspace
from khib_tui.lab.table import told
from khib_tui.model.ranges import Spans
from khib_tui.model.units import duration

PROGRAM = ("env", "PYTHONPATH=/opt/khib", "PATH=/usr/sbin:/usr/bin", "python3", "-m", "khib_tui.lab.guest.place")
KINDS = tuple(CHECKS)
STACKS = ("plain", "LVM", "LUKS", "LUKS+LVM")
# MiB besides an image of all memory: layers, the filesystem's own, and the files around the image's.
AROUND = 512
PATIENCE = 900


@dataclass(frozen=True)
class PlaceLab(Lab):
    """A machine whose image lies in ranges of a disk that A uses."""

    image: list[Partition] = field(default_factory=list)

    def watched(self, target_partition: int = 0) -> list[tuple[Path, list[Partition]]]:
        """Return A's disks; only the ranges of the image may change while A sleeps."""
        first, target, *more = self.hardware.disks
        return [(first, []), (target, self.image), *((path, []) for path in more)]


@dataclass(frozen=True)
class Row:
    """What came of one place; `wrong` is empty if nothing was lost and nothing else was written."""

    kind: str
    stack: str
    ranges: int = 0
    away: float = 0.0
    back: float = 0.0
    wrong: str = ""

    @property
    def line(self) -> str:
        """Format it."""
        times = f"in {self.ranges} ranges, away in {duration(self.away)}, back in {duration(self.back)}"
        return f"{self.kind:6} {self.stack:9} {f'NO: {self.wrong}' if self.wrong else times}"


def places(arguments: Namespace, sink: Sink) -> int:
    """Play all that were asked for.

    :param arguments: `kinds` and `stacks`, empty for all; the machine's as for the demo; `cycles` in one uptime.
    """
    setup.say_room(arguments, sink)
    rows = []
    for kind in arguments.kinds or KINDS:
        for stack in arguments.stacks or STACKS:
            with workspace(arguments.keep and arguments.keep / f"{kind}-{stack}") as directory:
                rows.append(row(arguments, kind, stack, directory, sink))
            sink(Message(rows[-1].line, Level.ERROR if rows[-1].wrong else Level.INFO))
    return told(rows, list(map(asdict, rows)), "lab places", "places took the image and gave it back", sink)


def row(arguments: Namespace, kind: str, stack: str, directory: Path, sink: Sink) -> Row:
    """Play one; its failure is part of the row."""
    made = setup.prepare(arguments, directory, sink, image_mib=arguments.memory + AROUND, packages=PACKAGES)
    session = Session(PlaceLab(made.hardware, made.kernel, made.directory), sink)
    try:
        return _cycles(session, arguments, kind, stack)
    except KhibError as error:
        return Row(kind, stack, wrong=error.message)
    finally:
        session.end()


def _cycles(session: Session, arguments: Namespace, kind: str, stack: str) -> Row:
    session.boot_a()
    session.program(*PROGRAM, "make", kind, stack, TARGET, timeout=PATIENCE)
    hidden = sealed.seal(session) if "LUKS" in stack else None
    choose(session)
    if session.run("setup", timeout=PATIENCE)[0]:
        raise session.lost(f"khib setup failed: {session.reason()}")
    ranges = look(session)
    session.ask("fill", percent=arguments.fill, shadow=session.lab.shadow)
    wrong: list[str] = []
    for _ in range(arguments.cycles):
        session.ask("remember", deep=False)
        away = session.hibernate(*(hidden.options if hidden else []))
        back, _ = session.resume()
        wrong += session.ask("check", deep=False)["wrong"]
        if hidden:
            sealed.refuse_leak(session, hidden)
    wrong += session.program(*PROGRAM, "check", timeout=PATIENCE).split("\n")
    if not session.disks_identical:
        wrong.append("bytes outside of the file were changed while A slept")
    return Row(kind, stack, ranges, away, back, "; ".join(filter(None, wrong)))


def choose(session: Session) -> None:
    """Let the settings name the file."""
    folder = Path(session.settings).parent
    beside = folder if session.settings.startswith("/run") else Path("/run/khib-place")
    path = beside / "place.toml"
    lines = f"grep -v ^target {session.settings}; echo 'target = \"file:{FILE}\"'"
    session.program("sh", "-c", f"mkdir -p {beside} && ({lines}) >{path}")
    session.settings = str(path)


def look(session: Session) -> int:
    """Note where the image lies on the host's file of the disk; gives the number of ranges."""
    lab = session.lab
    assert isinstance(lab, PlaceLab)
    lab.image[:] = parts(session, os.fspath(FILE), disks.partitions(lab.disk_target)[0].start)
    return len(lab.image)


def parts(session: Session, file: str, begin: int) -> list[Partition]:
    """Ask A where a file for images lies.

    :param begin: of its partition on the disk, in bytes.
    :returns: its ranges on that disk.
    :raises LabError: it lies nowhere.
    """
    spans = msgspec.json.decode(session.program(*PROGRAM, "where", file).strip().splitlines()[-1], type=Spans)
    if not spans:
        raise LabError(f"{file} lies nowhere", ident="HIB-E-LAB")
    return [Partition(begin + start, end - start) for start, end in spans]
