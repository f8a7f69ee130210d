"""The tables of part `memory`: saving, restoring, and the targets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from benchmark.document import provenance, table
from benchmark.sample import Sample
from benchmark.stats import Series, Target, noise_words, number, ratio
from khib_tui.model.units import GIB, MIB

KEPT = ("lz4", "zstd", "lz4, sealed")
Found = Mapping[str, Series]


@dataclass(frozen=True)
class Facts:
    """What the tables say about the run beside its figures; `broken` are reasons of commands that failed."""

    sample: Sample
    makedumpfile: str
    filesystem: str
    broken: Mapping[str, str]

    @property
    def bytes(self) -> int:
        """Bytes of the file that is saved."""
        return self.sample.path.stat().st_size


def content(facts: Facts, saves: Found, restores: Found) -> str:
    """Return the part's Markdown."""
    series = [*saves.values(), *restores.values()]
    return "\n\n".join(
        [
            f"{provenance()} {noise_words(series)}",
            f"Memory: {facts.sample.ram.total / GIB:.2f} GiB of a guest with Linux {facts.sample.facts.release}; "
            f"makedumpfile {facts.makedumpfile}; target on {facts.filesystem}.",
            *(f"Failed: {name}: {reason}" for name, reason in facts.broken.items()),
            "### Saving",
            saving(facts, saves),
            "### Restoring and the limits of the machine",
            restoring(facts, restores),
            "### Targets",
            table(
                ("figure", "measured", "must", "stretch", "reached"), (item.row() for item in targets(facts, saves, restores))
            ),
        ]
    )


def saving(facts: Facts, found: Found) -> str:
    """Make the table of everything that writes the memory out."""
    lzo, cp = found.get("makedumpfile -l"), found.get("cp, fsync")
    head = (
        "command",
        "s, median (span)",
        "CPU s",
        "MiB",
        "RAM MB/s",
        "speed vs mdf -l",
        "speed vs cp",
        "RssAnon MiB",
        "runs (noisy)",
    )
    return table(head, (_saving_row(facts, item, lzo, cp) for item in found.values()))


def _saving_row(facts: Facts, item: Series, lzo: Series | None, cp: Series | None) -> tuple[str, ...]:
    rate = facts.sample.ram.total / item.middle() / 1e6
    size, anon = f"{item.middle('size') / MIB:.0f}", f"{item.peak('anon') / MIB:.0f}"
    versus = (_times(ratio(lzo, item)), _times(ratio(cp, item)))
    return (
        item.name,
        item.summary(),
        f"{item.middle('cpu'):.2f}",
        size,
        f"{rate:.0f}",
        *versus,
        anon,
        f"{len(item.runs)} ({item.noisy})",
    )


def _times(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def restoring(facts: Facts, found: Found) -> str:
    """Make the table of everything that reads."""
    head = ("command", "s, median (span)", "work s", "CPU s", "RAM GB/s (work)", "RssAnon MiB", "runs (noisy)")
    rows = []
    for item in found.values():
        work = item.middle("work") or item.middle()
        cells = (f"{work:.2f}", f"{item.middle('cpu'):.2f}", number(facts.sample.ram.total / work / 1e9))
        rows.append((item.name, item.summary(), *cells, f"{item.peak('anon') / MIB:.0f}", f"{len(item.runs)} ({item.noisy})"))
    return table(head, rows)


def targets(facts: Facts, saves: Found, restores: Found) -> Iterator[Target]:
    """Yield the targets, each with what was measured."""
    lz4, zstd, sealed = (saves.get(f"khib {name}") for name in KEPT)
    lzo, zst = saves.get("makedumpfile -l"), saves.get("makedumpfile -z")
    cp, dd = saves.get("cp, fsync"), saves.get("dd oflag=direct")
    yield Target("save lz4 vs makedumpfile -l, speed", ratio(lzo, lz4), 1.4, 1.8)
    yield Target("save zstd vs makedumpfile -z, speed", ratio(zst, zstd), 2.2, 3.0)
    yield Target("save zstd vs makedumpfile -l, speed", ratio(lzo, zstd), 1.1, 1.5)
    yield Target("save lz4 vs makedumpfile -l --split, speed", ratio(saves.get("makedumpfile -l --split"), lz4), 1.0, 1.3)
    yield Target("save zstd vs makedumpfile -z --split, speed", ratio(saves.get("makedumpfile -z --split"), zstd), 1.8, 2.5)
    yield Target("save lz4 vs cp, speed", ratio(cp, lz4), 2.0)
    yield Target("save zstd vs cp, speed", ratio(cp, zstd), 1.6)
    yield Target("save lz4 vs dd oflag=direct of all RAM, speed", ratio(dd, lz4), 0.8, 1.2)
    yield Target("save zstd vs dd oflag=direct of all RAM, speed", ratio(dd, zstd), 0.65, 1.0)
    one = {name: saves.get(f"{name}, 1 CPU") for name in ("khib lz4", "khib zstd", "makedumpfile -l", "makedumpfile -z")}
    yield Target("1 CPU: zstd vs makedumpfile -z, speed", ratio(one["makedumpfile -z"], one["khib zstd"]), 1.25)
    yield Target("1 CPU: lz4 vs makedumpfile -l, speed", ratio(one["makedumpfile -l"], one["khib lz4"]), 0.85, 1.0)
    yield Target("size: zstd / makedumpfile -z", ratio(zstd, zst, "size"), 0.92, most=True)
    yield Target("size: zstd / makedumpfile -l", ratio(zstd, lzo, "size"), 0.76, most=True)
    yield Target("size: lz4 / makedumpfile -l", ratio(lz4, lzo, "size"), 0.94, most=True)
    yield Target("time: sealed lz4 / lz4", ratio(sealed, lz4), 1.15, most=True)
    yield from _restore_targets(facts, saves, restores)
    khib = [item for name, item in saves.items() if name.startswith("khib")]
    peak = max((item.peak("anon") for item in khib), default=None)
    yield Target("RssAnon of the saver, any codec", peak / MIB if peak is not None else None, 64, 24, most=True, unit=" MiB")


def _restore_targets(facts: Facts, saves: Found, restores: Found) -> Iterable[Target]:
    """Return the targets of reading; the disk's speed is that of `dd iflag=direct`."""
    limits = {"lz4": (3.5, 5.0), "zstd": (2.5, 3.0)}
    disk = restores.get("dd iflag=direct")
    for name, (must, stretch) in limits.items():
        item = restores.get(f"restore {name} from memory")
        rate = facts.sample.ram.total / item.middle("work") / 1e9 if item else None
        yield Target(f"restore {name} from memory, RAM", rate, must, stretch, unit=" GB/s")
    for name in limits:
        item, image = restores.get(f"restore {name} from disk"), saves.get(f"khib {name}")
        share = None
        if item and image and disk:
            share = image.middle("size") / item.middle("work") / (facts.bytes / disk.middle())
        yield Target(f"restore {name} from disk, share of the disk's read speed", share, 0.75, 0.95)
