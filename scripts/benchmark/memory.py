"""Part `memory`: saving and restoring one guest's memory, by khib and by its peers, interleaved in one run."""

from __future__ import annotations

import shutil
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmark import memory_tables
from benchmark.makedumpfile import Makedumpfile, makedumpfile
from benchmark.measure import Command, measure, rounds, settle, words
from benchmark.sample import Sample, sample, scratch
from benchmark.stats import Series
from khib_tui.errors import CommandFailed
from khib_tui.events.types import Level, Message, Sink
from khib_tui.model.units import MIB
from khib_tui.runner import run

CODECS = ("lz4", "zstd", "none", "auto")
ONE = "0"
# Its threads wait for each other by spinning: tens of seconds when there are no more processors than threads.
THREADED_RUNS = 1


@dataclass(frozen=True)
class Places:
    """Where things lie: the sample in memory, what is written on the disk under test, logs."""

    sample: Sample
    memory: Path
    disk: Path
    log: Path

    @property
    def restored(self) -> Path:
        """The file that stands in for the memory that is restored."""
        return self.memory / "restored"

    def image(self, name: str) -> Path:
        """Return the kept image of a codec on the disk."""
        return self.disk / f"khib-{name}"

    def image_in_memory(self, name: str) -> Path:
        """Return its copy in memory."""
        return self.memory / f"khib-{name}"


@contextmanager
def directory(base: Path) -> Iterator[Path]:
    """Make a directory for the time of the run."""
    place = base / "khib-bench-run"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def khib(name: str, *parts: str | Path, files: tuple[Path, ...] = (), keep: bool = False) -> Command:
    """Return a measured call of khib."""
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    return Command(name, words(sys.executable, "-m", "benchmark.child", *parts), files, environment, keep, True)


def savers(places: Places, dump: Makedumpfile) -> list[Command]:
    """Return everything that writes the sample to the disk."""
    core, out = places.sample.path, places.disk / "out"
    halves = (places.disk / "half-1", places.disk / "half-2")
    made = [khib(f"khib {codec}", "save", places.memory, out, codec, files=(out,)) for codec in CODECS]
    made.append(khib("khib lz4, sealed", "save", places.memory, out, "lz4", "sealed", files=(out,)))

    def peer(name: str, *parts: str | Path, files: tuple[Path, ...] = (out,), most: int = 1000) -> None:
        made.append(Command(name, words(*parts), files, most=most))

    def mdf(options: str, files: tuple[Path, ...] = (out,), most: int = 1000) -> None:
        peer(f"makedumpfile {options}".strip(), *dump.argv, *options.split(), "-d", "17", core, *files, files=files, most=most)

    peer("cp, fsync", "cp", "--sparse=never", "--reflink=never", core, out)
    peer("dd oflag=direct", "dd", f"if={core}", f"of={out}", "bs=4M", "oflag=direct", "conv=fsync", "status=none")
    for options in ("", "-l", "-z"):
        mdf(options)
    for options in ("-l", "-z"):
        mdf(f"{options} --split", halves)
        mdf(f"{options} --num-threads 2", most=THREADED_RUNS)
    return made


def on_one_cpu(commands: Sequence[Command]) -> list[Command]:
    """Return those that are also measured on a single processor."""
    wanted = ("khib lz4", "khib zstd", "khib lz4, sealed", "makedumpfile -l", "makedumpfile -z")
    return [command.pinned(f"{command.name}, 1 CPU", ONE) for command in commands if command.name in wanted]


def restorers(places: Places) -> list[Command]:
    """Return everything that reads an image, and the limits of memory and disk."""
    core, restored = places.sample.path, places.restored
    made = []
    for name in memory_tables.KEPT:
        image, copy = places.image(name), places.image_in_memory(name)
        made.append(khib(f"restore {name} from disk", "restore", image, restored))
        made.append(khib(f"restore {name} from memory", "restore", copy, restored))
        made.append(khib(f"verify {name} from disk", "verify", image))
    made.append(khib("memcpy", "memcpy", core, restored))
    read = words("dd", f"if={places.disk / 'core'}", "of=/dev/null", "bs=4M", "iflag=direct", "status=none")
    made.append(Command("dd iflag=direct", read))
    return made


def keep_images(places: Places, sink: Sink) -> None:
    """Save once with each codec for the restores, check each restore byte for byte, and copy the images to memory."""
    with places.restored.open("wb") as stream:
        for _ in range(places.sample.path.stat().st_size // MIB):
            stream.write(b"\xaa" * MIB)
    shutil.copyfile(places.sample.path, places.disk / "core")
    for name in memory_tables.KEPT:
        codec, _, sealed = name.partition(", ")
        image = places.image(name)
        measure(khib(name, "save", places.memory, image, codec, *([sealed] if sealed else []), files=(image,)), places.log)
        measure(khib(name, "restore", image, places.restored), places.log)
        measure(khib(name, "compare", places.memory, image, places.restored), places.log)
        shutil.copyfile(image, places.image_in_memory(name))
        sink(Message(f"{name}: restored byte for byte, {image.stat().st_size >> 20} MiB"))


def measured(
    commands: Sequence[Command], count: int, patience: float, log: Path, sink: Sink, broken: dict[str, str]
) -> dict[str, Series]:
    """Run all commands in turns.

    :param broken: takes the reason of one that fails, which is not run again.
    """
    found = {command.name: Series(command.name) for command in commands}
    plan = rounds(commands, count)
    for number, command in enumerate(plan, 1):
        if command.name in broken:
            continue
        waited = settle(patience)
        try:
            one = measure(command, log)
        except CommandFailed as error:
            broken[command.name] = error.message
            sink(Message(f"{command.name}: {error.message}", Level.ERROR))
            continue
        found[command.name].runs.append(one)
        late = f", waited {waited:.0f} s for the machine to be quiet" if waited > 1 else ""
        sink(Message(f"[{number}/{len(plan)}] {command.name}: {one.seconds:.2f} s, others {one.others:.0%}{late}"))
    return {name: series for name, series in found.items() if series.runs}


def memory(arguments: Namespace, sink: Sink) -> str:
    """Measure, and give the tables as Markdown.

    :raises KhibError: the sample cannot be made, there is no room, or a restored memory differs.
    """
    dump = makedumpfile()
    with directory(arguments.memory_directory) as in_memory, directory(arguments.directory) as on_disk:
        places = Places(sample(sink, arguments.linux_source, in_memory), in_memory, on_disk, scratch() / "command.log")
        keep_images(places, sink)
        save_commands = savers(places, dump)
        if arguments.only:
            save_commands = [command for command in save_commands if arguments.only in command.name]
        count, patience = arguments.runs, arguments.patience
        broken: dict[str, str] = {}
        saves = measured([*save_commands, *on_one_cpu(save_commands)], count, patience, places.log, sink, broken)
        restores = measured(restorers(places), count, patience, places.log, sink, broken)
        filesystem = run(["findmnt", "--noheadings", "--output", "FSTYPE", "--target", on_disk]).stdout.strip()
        facts = memory_tables.Facts(places.sample, dump.version, filesystem, broken)
        return memory_tables.content(facts, saves, restores)
