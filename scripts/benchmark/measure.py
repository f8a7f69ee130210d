"""Running a command to its end: wall clock, processor time, peak of anonymous memory, and what others did meanwhile."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmark.stats import Run
from khib_tui.errors import CommandFailed
from khib_tui.runner import failure_text, spawn

_TICK = os.sysconf("SC_CLK_TCK")
_EVERY = 0.02
LIMIT = 240.0
PIPE, STDOUT = -1, -2  # subprocess.PIPE, subprocess.STDOUT


@dataclass(frozen=True)
class Command:
    """What is measured: its words, the files it writes (made durable inside the measured time), its environment.

    :param keep: do not remove the files before; it reads them, or writes over them.
    :param answers: its last line of output is JSON, with `work` in seconds.
    :param most: no more runs than this, for one that is known to be very slow.
    """

    name: str
    argv: tuple[str, ...]
    files: tuple[Path, ...] = ()
    env: Mapping[str, str] | None = None
    keep: bool = False
    answers: bool = False
    most: int = 1000

    def pinned(self, name: str, cpus: str) -> Command:
        """Return the same on some processors only."""
        return replace(self, name=name, argv=("taskset", "-c", cpus, *self.argv))


def measure(command: Command, log: Path) -> Run:
    """Run it once.

    :param log: takes its output.
    :raises CommandFailed: it failed.
    """
    if not command.keep:
        for path in command.files:
            path.unlink(missing_ok=True)
    os.sync()
    before, began = busy(), time.monotonic()
    with log.open("wb") as output:
        process = spawn(command.argv, env=command.env, stdout=output, stderr=STDOUT)
    anon, cpu, status = _watch(process)
    process.returncode = os.waitstatus_to_exitcode(status)
    if not process.returncode and not command.keep:
        for path in command.files:
            _flush(path)
    seconds = time.monotonic() - began
    text = log.read_text(errors="replace")
    if process.returncode == -signal.SIGKILL:
        raise CommandFailed(f"{command.name} was ended after {seconds:.0f} s", ident="HIB-E-BENCH")
    if process.returncode:
        raise CommandFailed(failure_text([command.name], process.returncode, text), hint=f"see {log}", ident="HIB-E-BENCH")
    others = max(busy() - before - cpu, 0.0) / (seconds * (os.cpu_count() or 1))
    work = float(json.loads(text.strip().splitlines()[-1])["work"]) if command.answers else 0.0
    size = sum(path.stat().st_size for path in command.files)
    return Run(seconds, cpu, size, anon, min(others, 1.0), work)


def _watch(process: Any) -> tuple[int, float, int]:
    """Wait for a child; gives the peak of its RssAnon in bytes, its processor seconds and its wait status."""
    peak, deadline = 0, time.monotonic() + LIMIT
    while True:
        done, status, usage = os.wait4(process.pid, os.WNOHANG)
        if done:
            return peak, usage.ru_utime + usage.ru_stime, status
        if time.monotonic() > deadline:
            os.kill(process.pid, signal.SIGKILL)
        peak = max(peak, _anon(process.pid))
        time.sleep(_EVERY)


def _anon(pid: int) -> int:
    """Read RssAnon of a process and its children in bytes."""
    total = 0
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                total = int(line.split()[1]) * 1024
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (OSError, ValueError):
        return total
    return total + sum(_anon(int(child)) for child in children)


def _flush(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def busy() -> float:
    """Return the seconds all processors together have been busy with programs, without interrupts and waiting."""
    words = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    user, nice, system = (int(word) for word in words[1:4])
    return (user + nice + system) / _TICK


@contextmanager
def watched() -> Iterator[list[float]]:
    """Watch the machine for the time of a `with`; the list then holds the share of the processors that others used.

    Children count as own when they have ended and were waited for.
    """
    share: list[float] = []
    before, own, began = busy(), _own(), time.monotonic()
    yield share
    used = busy() - before - (_own() - own)
    share.append(min(max(used, 0.0) / ((time.monotonic() - began) * (os.cpu_count() or 1)), 1.0))


def _own() -> float:
    return sum(os.times()[:4])


def settle(patience: float) -> float:
    """Wait until others use less than a tenth of the processors for half a second; gives the seconds waited.

    :param patience: after so many seconds it goes on all the same.
    """
    began = time.monotonic()
    while (waited := time.monotonic() - began) < patience:
        before = busy()
        time.sleep(0.5)
        if (busy() - before) / (0.5 * (os.cpu_count() or 1)) < 0.1:
            break
    return waited


def words(*parts: str | os.PathLike[str] | int) -> tuple[str, ...]:
    """Make the words of a command line."""
    return tuple(str(part) if isinstance(part, int) else os.fspath(part) for part in parts)


def rounds(commands: Sequence[Command], count: int) -> list[Command]:
    """Interleave `count` runs of each command; every round begins with another one."""
    turns = [(turn, turn % max(len(commands), 1)) for turn in range(count)]
    return [
        command for turn, first in turns for command in (*commands[first:], *commands[:first]) if turn < command.most
    ]  # fmt: skip
