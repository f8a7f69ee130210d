"""Part `growth`: how time, image size and the saver's memory grow with the RAM.

The memory is synthetic: each GiB of it is one and the same file in memory, a tenth of which is content of the sample.
"""

from __future__ import annotations

import shutil
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmark.document import provenance, table
from benchmark.measure import measure, settle
from benchmark.memory import directory, khib
from benchmark.sample import PIECE, Sample, sample, scratch
from benchmark.stats import Series, Target, noise_words
from khib_tui.events.types import Message, Sink
from khib_tui.model.units import GIB, MIB, PAGE

SIZES = (1, 4, 16, 64)
QUICK_SIZES = (1, 4)
SHARE = 10
MOST_RUNS = 3
# B has 256 MiB for everything.
MOST_MIB = 160


def content(sample: Sample) -> Iterator[bytes]:
    """Yield pages of the sample that are not zero, from its middle on."""
    zero = bytes(PAGE)
    with sample.path.open("rb") as stream:
        stream.seek(sample.path.stat().st_size // 2 // MIB * MIB)
        while piece := stream.read(MIB):
            yield from (piece[at : at + PAGE] for at in range(0, len(piece), PAGE) if piece[at : at + PAGE] != zero)


def make_piece(sample: Sample, path: Path) -> None:
    """Write one GiB of the memory: runs of one MiB of content, nine of zeros between them."""
    pages = content(sample)
    with path.open("wb") as stream:
        for number in range(GIB // MIB):
            filled = number % SHARE == 0
            stream.write(b"".join(next(pages) for _ in range(MIB // PAGE)) if filled else bytes(MIB))


@dataclass
class Row:
    """One size of memory: runs of saving, runs of restoring."""

    gib: int
    save: Series
    restore: Series


def growth(arguments: Namespace, sink: Sink) -> str:
    """Measure, and give the table as Markdown; sizes whose image would not fit the disk are named and left out.

    :raises KhibError: a size fails.
    """
    with directory(arguments.memory_directory) as in_memory, directory(arguments.directory) as on_disk:
        make_piece(sample(sink, arguments.linux_source, in_memory), in_memory / PIECE)
        room = shutil.disk_usage(on_disk).free - GIB
        sizes = QUICK_SIZES if arguments.quick else SIZES
        rows = [Row(gib, Series(f"save {gib} GiB"), Series(f"restore {gib} GiB")) for gib in sizes if gib * GIB / SHARE < room]
        for _ in range(min(arguments.runs, MOST_RUNS)):
            for row in rows:
                one(row, in_memory, on_disk, arguments.patience, sink)
        left_out = [f"{gib} GiB" for gib in sizes if gib not in [row.gib for row in rows]]
        return tables(rows, left_out)


def one(row: Row, in_memory: Path, on_disk: Path, patience: float, sink: Sink) -> None:
    """Save and restore one size once."""
    image = on_disk / "image"
    save = khib(row.save.name, "grow", in_memory, str(row.gib), image, files=(image,))
    restore = khib(row.restore.name, "shrink", in_memory, str(row.gib), image)
    for command, series in ((save, row.save), (restore, row.restore)):
        settle(patience)
        run = measure(command, scratch() / "command.log")
        series.runs.append(run)
        sink(Message(f"{command.name}: {run.seconds:.1f} s, {run.anon / MIB:.0f} MiB"))
    image.unlink()


def tables(rows: list[Row], left_out: list[str]) -> str:
    """Return the part's Markdown."""
    head = ("RAM", "save s", "restore s", "image MiB", "saver RssAnon MiB", "restorer RssAnon MiB", "save GB/s", "restore GB/s")
    lines = [
        (
            f"{row.gib} GiB", row.save.summary(), row.restore.summary(), f"{row.save.middle('size') / MIB:.0f}",
            f"{row.save.peak('anon') / MIB:.0f}", f"{row.restore.peak('anon') / MIB:.0f}",
            f"{row.gib * GIB / row.save.middle() / 1e9:.2f}", f"{row.gib * GIB / row.restore.middle() / 1e9:.2f}",
        )
        for row in rows
    ]  # fmt: skip
    peak = max(max(row.save.peak("anon"), row.restore.peak("anon")) for row in rows) / MIB
    target = Target("RssAnon at any size, saving or restoring", peak, MOST_MIB, 64, most=True, unit=" MiB")
    noise = noise_words([series for row in rows for series in (row.save, row.restore)])
    parts = [f"{provenance()} {noise} Codec lz4.", table(head, lines)]
    parts += [f"Left out for lack of disk space: {', '.join(left_out)}."] if left_out else []
    return "\n\n".join([*parts, table(("figure", "measured", "must", "stretch", "reached"), [target.row()])])
