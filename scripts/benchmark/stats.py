"""Medians, spreads, ratios, and the verdict on a measured ratio against its target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

NOISY_OTHERS = 0.12
NOISY_SPREAD = 0.25


@dataclass(frozen=True)
class Run:
    """One run of one command.

    Times are seconds; `size` is bytes of its result; `anon` is the peak of RssAnon in bytes; `others` is the share of the
    machine's processors that somebody else used meanwhile (0..1); `work` is what the command itself says its work took.
    """

    seconds: float
    cpu: float = 0.0
    size: int = 0
    anon: int = 0
    others: float = 0.0
    work: float = 0.0


@dataclass
class Series:
    """All runs of one command, none left out."""

    name: str
    runs: list[Run] = field(default_factory=list)

    def middle(self, key: str = "seconds") -> float:
        """Return the median of one figure."""
        return float(median(getattr(run, key) for run in self.runs))

    def peak(self, key: str) -> float:
        """Return the largest of one figure."""
        return float(max(getattr(run, key) for run in self.runs))

    @property
    def span(self) -> tuple[float, float]:
        """The quickest and the slowest run."""
        seconds = [run.seconds for run in self.runs]
        return min(seconds), max(seconds)

    @property
    def spread(self) -> float:
        """How far the runs lie apart, as a share of their median."""
        low, high = self.span
        return (high - low) / self.middle()

    @property
    def noisy(self) -> int:
        """How many runs had somebody else at more than `NOISY_OTHERS` of the processors."""
        return sum(run.others > NOISY_OTHERS for run in self.runs)

    def summary(self) -> str:
        """Format median and span, such as `2.10 (2.05-2.40)`."""
        low, high = self.span
        return f"{self.middle():.2f} ({low:.2f}-{high:.2f})"


@dataclass(frozen=True)
class Target:
    """What a figure must reach: at least `must` (at most, if `most`), and what would be better still."""

    what: str
    got: float | None
    must: float
    stretch: float | None = None
    most: bool = False
    unit: str = ""

    @property
    def verdict(self) -> str:
        """Return `stretch`, `must`, `missed` or `not measured`."""
        if self.got is None:
            return "not measured"
        if self.stretch is not None and self._reaches(self.stretch):
            return "stretch"
        return "must" if self._reaches(self.must) else "**missed**"

    def _reaches(self, limit: float) -> bool:
        assert self.got is not None
        return self.got <= limit if self.most else self.got >= limit

    def row(self) -> tuple[str, ...]:
        """Return the row of a table: what, measured, must, stretch, verdict."""
        sign = "<=" if self.most else ">="
        got = "" if self.got is None else f"{number(self.got)}{self.unit}"
        better = "" if self.stretch is None else f"{sign} {self.stretch:g}{self.unit}"
        return self.what, got, f"{sign} {self.must:g}{self.unit}", better, self.verdict


def number(value: float) -> str:
    """Write a figure with three significant digits."""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def ratio(above: Series | None, below: Series | None, key: str = "seconds") -> float | None:
    """Divide the medians of two series; None if one was not run, or is zero."""
    if not above or not below or not above.runs or not below.runs or not below.middle(key):
        return None
    return above.middle(key) / below.middle(key)


def noise_words(series: Sequence[Series]) -> str:
    """Return how quiet the machine was, from all runs."""
    runs = sum(len(item.runs) for item in series)
    noisy = sum(item.noisy for item in series)
    wide = [item.name for item in series if len(item.runs) > 1 and item.spread > NOISY_SPREAD]
    others = [run.others for item in series for run in item.runs]
    text = f"{runs} runs, none left out; other programs used {median(others):.0%} of the processors (median), "
    text += f"{max(others):.0%} at most"
    text += f"; in {noisy} runs more than {NOISY_OTHERS:.0%}" if noisy else ""
    text += f". Runs lie more than {NOISY_SPREAD:.0%} of their median apart for: {', '.join(wide)}" if wide else ""
    return text + "."
