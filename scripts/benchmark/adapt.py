"""Part `adapt`: `auto` beside the fixed codecs, both ways, for kinds of memory and of media."""

from __future__ import annotations

import json
import random
from argparse import Namespace
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from statistics import median

import lz4.block

from benchmark.document import provenance, table
from benchmark.growth import content
from benchmark.measure import measure, rounds, settle
from benchmark.memory import CODECS, directory, khib
from benchmark.sample import Sample, sample, scratch
from benchmark.stats import Run, Series, noise_words
from khib_tui.events.types import Message, Sink
from khib_tui.model.units import MIB, PAGE

KINDS = ("compressible", "mixed", "incompressible")
MEDIA = ("fast", "throttled", "jittering")
SIZE = 256
MOST_RUNS = 3


def shrinking(taken: Sample) -> Iterator[bytes]:
    """Yield pages of the sample of which LZ4 leaves less than two thirds, over and over."""
    while True:
        for page in content(taken):
            if len(lz4.block.compress(page, store_size=False)) < PAGE * 2 // 3:
                yield page


def make_memory(taken: Sample, kind: str, path: Path) -> None:
    """Write a memory: of shrinking pages, of noise, or of runs of both."""
    dice, pages = random.Random(17), shrinking(taken)
    noise = kind == "incompressible"
    with path.open("wb") as stream:
        left = 0
        for _ in range(SIZE):
            if kind == "mixed" and not left:
                noise, left = not noise, dice.randrange(1, 24)
            left -= 1
            stream.write(dice.randbytes(MIB) if noise else b"".join(next(pages) for _ in range(MIB // PAGE)))


def adapt(arguments: Namespace, sink: Sink) -> str:
    """Measure, and give the table as Markdown.

    :raises KhibError: a run fails.
    """
    found: dict[tuple[str, str, str], Series] = {}
    with directory(arguments.memory_directory) as in_memory, directory(arguments.directory) as on_disk:
        taken = sample(sink, arguments.linux_source, in_memory)
        for kind in KINDS:
            make_memory(taken, kind, in_memory / kind)
        for kind, medium in product(KINDS, MEDIA):
            log, image = scratch() / "command.log", on_disk / "image"
            verb = ("both", in_memory, kind, medium, str(len(found)), image)
            commands = [khib(codec, *verb, codec, files=(image,)) for codec in CODECS]
            for command in rounds(commands, min(arguments.runs, MOST_RUNS)):
                settle(arguments.patience)
                run = measure(command, log)
                found.setdefault((kind, medium, command.name), Series(f"{kind}, {medium}, {command.name}")).runs.append(run)
                said = json.loads(log.read_text().strip().splitlines()[-1])
                sink(Message(f"{kind}, {medium}, {command.name}: {said['save']:.2f} s, {said['restore']:.2f} s back"))
    return tables(found)


def ratios(found: dict[tuple[str, str, str], Series], kind: str, medium: str) -> list[float]:
    """Return `auto`'s time in each round as a share of the best fixed codec's in the same round."""
    fixed = [found[kind, medium, codec].runs for codec in CODECS if codec != "auto"]
    return [run.work / min(runs[number].work for runs in fixed) for number, run in enumerate(found[kind, medium, "auto"].runs)]


def tables(found: dict[tuple[str, str, str], Series]) -> str:
    """Return the part's Markdown."""
    head = ("memory", "medium", *(f"{codec}, s" for codec in CODECS), "auto / best of its round", "auto, MiB", "none, MiB")
    rows = []
    for kind, medium in product(KINDS, MEDIA):
        shares = ratios(found, kind, medium)
        sizes = [f"{found[kind, medium, codec].middle('size') / MIB:.0f}" for codec in ("auto", "none")]
        times = [span(found[kind, medium, codec].runs) for codec in CODECS]
        rows.append((kind, medium, *times, f"{min(shares):.2f} to {max(shares):.2f}", *sizes))
    all_shares = [share for kind, medium in product(KINDS, MEDIA) for share in ratios(found, kind, medium)]
    within = (
        f"`auto` within a tenth of the best fixed codec in {sum(share <= 1.1 for share in all_shares)} of {len(all_shares)}."
    )
    return "\n\n".join([f"{provenance()} {noise_words(list(found.values()))}", table(head, rows), within])


def span(runs: list[Run]) -> str:
    """Format the median and the span of both ways."""
    work = sorted(run.work for run in runs)
    return f"{median(work):.2f} ({work[0]:.2f}-{work[-1]:.2f})"
