"""Building the distribution's kernel so that it can jump: each step leaves its work in a folder, and the system as it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from khib_tui.events.types import Level, Message
from khib_tui.kbuild import abi, config, deb, make, source
from khib_tui.kbuild.config import OFF, Change
from khib_tui.kbuild.work import Work
from khib_tui.plan.step import Action, Context


def steps(work: Work) -> list[Action]:
    """Return what is done, each time all of it: a step does what is not done yet."""
    ends: list[Action] = [] if work.whole else [CompareModules(work), MakePackage(work)]
    return [FetchSource(work), Unpack(work), Configure(work), Compile(work), *ends]


@dataclass(frozen=True)
class FetchSource:
    """Get the archive with the source."""

    work: Work

    def describe(self) -> str:
        """Return which, and where from."""
        stock = self.work.stock
        found = source.archive(self.work)
        return f"take the source from {found}" if found else f"download {stock.package} {stock.version} by apt"

    def apply(self, context: Context) -> None:
        """Download it."""
        context.held.enter_context(self.work.held())
        if not source.archive(self.work):
            source.fetch(self.work)


@dataclass(frozen=True)
class Unpack:
    """Unpack it."""

    work: Work

    def describe(self) -> str:
        """Return where to."""
        there = ", which is done already" if self.work.tree.is_dir() else ""
        return f"unpack it into {self.work.tree}{there}"

    def apply(self, context: Context) -> None:
        """Unpack it, unless a former run has."""
        found = source.archive(self.work)
        if not self.work.tree.is_dir() and found:
            source.unpack(self.work, found)


@dataclass(frozen=True)
class Configure:
    """Configure it as the distribution has, but for a few settings."""

    work: Work

    @property
    def wanted(self) -> list[Change]:
        """The settings."""
        return config.changes(self.work.stock.config, whole=self.work.whole)

    def describe(self) -> str:
        """Return each setting that is changed, and why."""
        changed = "; ".join(f"{_setting(change)} ({change.why})" for change in self.wanted)
        return f"configure it as {self.work.stock.release}, but {changed}"

    def apply(self, context: Context) -> None:
        """Write the configuration, and tell what else came out other."""
        moved = make.configure(self.work, self.wanted)
        if moved:
            context.sink(Message(f"other settings that differ from the distribution's: {', '.join(moved)}"))


@dataclass(frozen=True)
class Compile:
    """Compile it."""

    work: Work

    def describe(self) -> str:
        """Return what is compiled by how many processors."""
        what = "the kernel and all its modules, and make packages" if self.work.whole else "the kernel alone"
        done = self.work.compiled
        went = f", of which some {done} are done" if done else ""
        return f"compile {what}: about {make.expected(self.work)} objects{went}, with {self.work.jobs} at once"

    def apply(self, context: Context) -> None:
        """Compile it; if it is interrupted, say how it goes on."""
        try:
            make.compile_all(self.work, context.sink)
        except BaseException:
            context.sink(Message(f"what is compiled stays in {self.work.folder}: the same command goes on", Level.WARNING))
            raise


@dataclass(frozen=True)
class CompareModules:
    """See that the distribution's modules fit."""

    work: Work

    def describe(self) -> str:
        """Return what is compared."""
        return f"see that each module in {self.work.stock.modules} fits: kind of kernel, and the version of each symbol"

    def apply(self, context: Context) -> None:
        """Compare them."""
        count = abi.compare(self.work, context.sink)
        context.sink(Message(f"{count} modules of {self.work.stock.release} fit this kernel"))


@dataclass(frozen=True)
class MakePackage:
    """Make the package."""

    work: Work

    @property
    def path(self) -> Path:
        """Where it will be."""
        return self.work.folder / deb.name(self.work)

    def describe(self) -> str:
        """Return its path."""
        return f"make {self.path}, which needs the package of {self.work.stock.release} for its modules"

    def apply(self, context: Context) -> None:
        """Make it."""
        wanted = config.changes(self.work.stock.config, whole=self.work.whole)
        deb.stage(self.work, [f"{_setting(change)}: {change.why}" for change in wanted])
        deb.pack(self.work)


def _setting(change: Change) -> str:
    return f"{change.name} off" if change.value == OFF else f"{change.name}={change.value}"
