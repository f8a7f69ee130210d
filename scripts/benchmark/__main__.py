"""`scripts/bench`: measure the parts that are asked for, and write their tables into docs/performance.md."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from benchmark import document
from benchmark.adapt import adapt
from benchmark.growth import growth
from benchmark.hibernate import hibernate
from benchmark.memory import memory
from khib_tui.errors import KhibError
from khib_tui.events.sinks import PlainSink
from khib_tui.events.types import Failure, Message, Sink
from khib_tui.files import cache_dir

PARTS: dict[str, Callable[[argparse.Namespace, Sink], str]] = {
    "memory": memory, "adapt": adapt, "growth": growth, "hibernate": hibernate,
}  # fmt: skip


def parse(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, "all"], default="all", help="what to measure (default: all)")
    parser.add_argument("--quick", action="store_true", help="one run of each, smaller sizes: shows that it works")
    parser.add_argument("--runs", type=int, metavar="N", help="interleaved runs of each command (default 5)")
    parser.add_argument("--only", default="", metavar="TEXT", help="memory: only savers whose name has this in it")
    parser.add_argument("--directory", type=Path, default=cache_dir(), help="on the disk under test (default: the cache)")
    parser.add_argument("--memory-directory", type=Path, default=Path("/dev/shm"), help="where what stands for memory lies")
    parser.add_argument("--patience", type=float, default=20, metavar="S", help="wait so long for a quiet machine before a run")
    parser.add_argument("--linux-source", type=Path, metavar="TARBALL", help="another kernel source for the guest")
    parser.add_argument("--print", action="store_true", help="print the tables and leave docs/performance.md alone")
    arguments = parser.parse_args(words)
    arguments.runs = arguments.runs or (1 if arguments.quick else 5)
    arguments.parts = list(PARTS) if "all" in arguments.parts else list(dict.fromkeys(arguments.parts))
    return arguments


def main() -> int:
    """Measure, write, and give the exit code."""
    arguments, sink = parse(sys.argv[1:]), PlainSink(sys.stderr)
    try:
        for part in arguments.parts:
            sink(Message(f"== {part}"))
            content = PARTS[part](arguments, sink)
            print(content, flush=True)
            if not arguments.print:
                document.write(part, content)
    except KhibError as error:
        sink(Failure(error.ident, error.message, error.hint or ""))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
