"""Part `hibernate`: whole hibernations of a lab guest, by khib and by its kernel, with the same memory held."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmark.document import provenance, table
from benchmark.measure import settle, watched
from benchmark.stats import Target
from khib_tui.errors import KhibError
from khib_tui.events.types import Level, Message, Progress, Sink
from khib_tui.lab import swsusp
from khib_tui.lab.cycle import Session
from khib_tui.lab.setup import Lab, prepare, workspace
from khib_tui.model import settings
from khib_tui.model.units import GIB, MIB

MEMORY = 2048
HELD = (25, 60)
MOST_RUNS = 3
KERNEL = "in-kernel (swsusp)"


@dataclass(frozen=True)
class Cycle:
    """One hibernation and resume: seconds, bytes; `cache` is page cache before and after."""

    away: float
    back: float
    image: int
    cache: tuple[int, int]
    swapped: int
    intact: bool

    @property
    def total(self) -> float:
        """Seconds of both ways."""
        return self.away + self.back


@dataclass
class Way:
    """All cycles of one way to hibernate at one fill; `refusals` are reasons for those that did not happen.

    `held` is bytes, `others` the shares of the processors that other programs used.
    """

    name: str
    percent: int
    cycles: list[Cycle] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    held: int = 0
    others: list[float] = field(default_factory=list)

    def middle(self, key: str) -> float:
        """Return the median of one figure."""
        return float(median(getattr(cycle, key) for cycle in self.cycles))


Play = Callable[[Session], Cycle]


def khib(codec: str) -> Play:
    """Return a hibernation by khib."""

    def play(session: Session) -> Cycle:
        before = swsusp.memory(session)
        away = session.hibernate("--codec", codec)
        back, result = session.resume()
        after = swsusp.memory(session)
        intact = session.ask("check", deep=True)["intact"]
        return Cycle(away, back, int(result.data["image_bytes"]), (before.page_cache, after.page_cache), after.swapped, intact)

    return play


def kernel(session: Session) -> Cycle:
    """Hibernate as the kernel does; the image is what its swap disk has come to hold."""
    before = swsusp.memory(session)
    away = swsusp.hibernate(session)
    image = session.lab.hardware.disks[-1].stat().st_blocks * 512
    back = swsusp.resume(session)
    after = swsusp.memory(session)
    intact = session.ask("check", deep=True)["intact"]
    return Cycle(away, back, image, (before.page_cache, after.page_cache), after.swapped, intact)


@contextmanager
def machine(arguments: Namespace, sink: Sink, *, swap: bool) -> Iterator[Session]:
    """Make a machine with fresh disks for the time of a `with`; A is booted, and khib set up, which is done once."""
    quiet = quietly(sink)
    with workspace(None) as directory:
        options = Namespace(linux_source=arguments.linux_source, memory=MEMORY, cpus=2, firmware="bios")
        lab: Lab = prepare(options, directory, quiet)
        session = Session(swsusp.with_swap_disk(lab, Path(directory) / "swap.raw") if swap else lab, quiet)
        try:
            if swap:
                swsusp.boot(session)
            else:
                session.boot_a()
                set_up(session)
            yield session
        finally:
            session.end()


def set_up(session: Session) -> None:
    """Set khib up, with settings that can be kept: the lab's own lie on a disk that is read only.

    :raises KhibError: it fails.
    """
    kept = os.fspath(settings.PATH)
    session.program("install", "-D", session.settings, kept)
    session.settings = kept
    code, _ = session.run("setup")
    if code:
        raise session.lost(f"khib setup ended with code {code}: {session.reason()}")


def quietly(sink: Sink) -> Sink:
    """Return a sink that leaves progress out."""

    def take(event: object) -> None:
        if not isinstance(event, Progress):
            sink(event)  # type: ignore[arg-type]

    return take


def one(way: Way, play: Play, arguments: Namespace, sink: Sink) -> None:
    """Play one cycle; a refusal of the kernel is noted."""
    settle(arguments.patience)
    with watched() as others, machine(arguments, sink, swap=way.name == KERNEL) as session:
        held = session.ask("fill", percent=way.percent, shadow=session.lab.shadow)
        session.ask("remember", deep=True)
        way.held = held["filled"]
        try:
            way.cycles.append(play(session))
        except swsusp.Declined as error:
            way.refusals.append(error.message)
            sink(Message(f"{way.name}, {way.percent} %: {error.message}", Level.WARNING))
            return
    way.others += others
    last = way.cycles[-1]
    sink(
        Message(f"{way.name}, {way.percent} %: {last.away:.1f} s to power-off, {last.back:.1f} s back, {last.image >> 20} MiB")
    )


def hibernate(arguments: Namespace, sink: Sink) -> str:
    """Measure, and give the tables as Markdown.

    :raises KhibError: a cycle fails in any other way than a refusal.
    """
    plays: dict[str, Play] = {"khib lz4": khib("lz4"), "khib auto": khib("auto"), KERNEL: kernel}
    ways = [Way(name, percent) for percent in HELD for name in plays]
    for number in range(min(arguments.runs, MOST_RUNS)):
        for way in (*ways[number:], *ways[:number]):
            one(way, plays[way.name], arguments, sink)
    broken = [way.name for way in ways if any(not cycle.intact for cycle in way.cycles)]
    if broken:
        raise KhibError(f"memory or files were not as before after {', '.join(broken)}", ident="HIB-E-BENCH")
    return content(ways, min(arguments.runs, MOST_RUNS))


def content(ways: list[Way], runs: int) -> str:
    """Return the part's Markdown."""
    head = (
        "way", "held", "to power-off, s", "back, s", "both, s (span)", "image MiB", "page cache kept", "swapped out MiB",
        "runs", "others",
    )  # fmt: skip
    verdicts = [target.row() for target in targets(ways)]
    parts = [
        f"{provenance()} Medians of {runs} interleaved runs, a new machine for each.",
        table(head, map(row, ways)),
        table(("figure", "measured", "must", "stretch", "reached"), verdicts),
    ]
    refusals = sorted({f"{way.name} at {way.percent} %: {text}" for way in ways for text in way.refusals})
    return "\n\n".join([*parts, *(f"Refused: {text}." for text in refusals)])


def row(way: Way) -> tuple[str, ...]:
    """Make a way's row."""
    held = f"{way.percent} %, {way.held / GIB:.2f} GiB"
    if not way.cycles:
        return way.name, held, "refused", "", "", "", "", "", f"0 of {len(way.refusals)}", ""
    totals = [cycle.total for cycle in way.cycles]
    kept = median(min(cycle.cache[1] / cycle.cache[0], 1.0) for cycle in way.cycles)
    before = median(cycle.cache[0] for cycle in way.cycles) / MIB
    return (
        way.name, held, f"{way.middle('away'):.1f}", f"{way.middle('back'):.1f}",
        f"{way.middle('total'):.1f} ({min(totals):.1f}-{max(totals):.1f})", f"{way.middle('image') / MIB:.0f}",
        f"{kept:.0%} of {before:.0f} MiB", f"{way.middle('swapped') / MIB:.0f}",
        f"{len(way.cycles)} of {len(way.cycles) + len(way.refusals)}", f"{median(way.others):.0%}",
    )  # fmt: skip


def targets(ways: list[Way]) -> Iterator[Target]:
    """Yield the targets: no slower than the kernel, all page cache kept."""
    peers = {way.percent: way for way in ways if way.name == KERNEL}
    for way in ways:
        peer = peers[way.percent]
        if way is peer or not way.cycles:
            continue
        speed = peer.middle("total") / way.middle("total") if peer.cycles else None
        yield Target(f"{way.name}, {way.percent} % held: both ways vs in-kernel, speed", speed, 1.0)
        kept = min(cycle.cache[1] / cycle.cache[0] for cycle in way.cycles)
        yield Target(f"{way.name}, {way.percent} % held: page cache kept", min(kept, 1.0), 0.99)
