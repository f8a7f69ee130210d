"""Building the distribution's kernel so that it can jump: each step leaves its work in a folder, and the system as it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from khib_tui.events.types import Level, Message
from khib_tui.i18n import _
from khib_tui.kbuild import abi, config, deb, make, source
from khib_tui.kbuild.config import OFF, Change
from khib_tui.kbuild.work import Work
from khib_tui.plan.step import Action, Context


def steps(work: Work) -> list[Action]:
    """Return what is done, each time all of it: a step does what is not done yet."""
    begin: list[Action] = [FetchSource(work), Unpack(work), Configure(work)]
    if work.whole:
        return [*begin, Compile(work)]
    return [*begin, TryModules(work), Compile(work), CompareModules(work), MakePackage(work)]


@dataclass(frozen=True)
class FetchSource:
    """Get the archive with the source."""

    work: Work

    def describe(self) -> str:
        """Return which, and where from."""
        stock = self.work.stock
        found = source.archive(self.work)
        return (
            _("take the source from {found}").format(found=found)
            if found
            else _("download {package} {version} by apt").format(package=stock.package, version=stock.version)
        )

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
        there = _(", which is done already") if self.work.tree.is_dir() else ""
        return _("unpack it into {tree}{there}").format(tree=self.work.tree, there=there)

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
        return _("configure it as {release}, but {changed}").format(release=self.work.stock.release, changed=changed)

    def apply(self, context: Context) -> None:
        """Write the configuration, and tell what else came out other."""
        moved = make.configure(self.work, self.wanted)
        if moved:
            context.sink(
                Message(_("other settings that differ from the distribution's: {options}").format(options=", ".join(moved)))
            )


@dataclass(frozen=True)
class TryModules:
    """See early whether the distribution's modules can fit."""

    work: Work

    def describe(self) -> str:
        """Return by what."""
        return _("see by one object that the modules of {release} can fit, before all is compiled").format(
            release=self.work.stock.release
        )

    def apply(self, context: Context) -> None:
        """Compile it."""
        abi.try_layout(self.work)


@dataclass(frozen=True)
class Compile:
    """Compile it."""

    work: Work

    def describe(self) -> str:
        """Return what is compiled by how many processors."""
        what = _("the kernel and all its modules, and make packages") if self.work.whole else _("the kernel alone")
        done = self.work.compiled
        went = _(", of which some {done} are done").format(done=done) if done else ""
        return _("compile {what}: about {expected} objects{went}, with {jobs} at once").format(
            what=what, expected=make.expected(self.work), went=went, jobs=self.work.jobs
        )

    def apply(self, context: Context) -> None:
        """Compile it; if it is interrupted, say how it goes on."""
        try:
            make.compile_all(self.work, context.sink)
        except BaseException:
            context.sink(
                Message(
                    _("what is compiled stays in {folder}: the same command goes on").format(folder=self.work.folder),
                    Level.WARNING,
                )
            )
            raise


@dataclass(frozen=True)
class CompareModules:
    """See that the distribution's modules fit."""

    work: Work

    def describe(self) -> str:
        """Return what is compared."""
        return _("see that each module in {modules} fits: kind of kernel, and the version of each symbol").format(
            modules=self.work.stock.modules
        )

    def apply(self, context: Context) -> None:
        """Compare them."""
        count = abi.compare(self.work, context.sink)
        context.sink(
            Message(_("{count} modules of {release} fit this kernel").format(count=count, release=self.work.stock.release))
        )


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
        return _("make {path}, which needs the package of {release} for its modules").format(
            path=self.path, release=self.work.stock.release
        )

    def apply(self, context: Context) -> None:
        """Make it."""
        wanted = config.changes(self.work.stock.config, whole=self.work.whole)
        deb.stage(self.work, [f"{_setting(change)}: {change.why}" for change in wanted])
        deb.pack(self.work)


def _setting(change: Change) -> str:
    return _("{change} off").format(change=change.name) if change.value == OFF else f"{change.name}={change.value}"
