"""Running a long program of others, and telling how far it is by what it prints."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from khib_tui.errors import CommandFailed
from khib_tui.events.progress import Meter
from khib_tui.events.types import Message, Sink, StageName
from khib_tui.i18n import _
from khib_tui.runner import failure_text, spawn

NEVER = re.compile(r"(?!)")


def follow(
    sink: Sink, stage: StageName, argv: Sequence[str | os.PathLike[str]], *, counts: re.Pattern[str], expected: int,
    unit: str, log: Path, cwd: Path | None = None, before: int = 0, notes: re.Pattern[str] = NEVER,
) -> int:  # fmt: skip
    """Run a long program and report its progress by counting the lines that `counts` matches.

    :param expected: about how many such lines there will be; the total grows when there are more.
    :param log: where all of its output is kept.
    :param before: how many of them an interrupted run has done; with any, the log goes on too.
    :param notes: lines that are told as they are.
    :returns: how many there were, with those of before.
    :raises CommandFailed: it failed; the hint names the log.
    """
    meter = Meter(sink, stage, expected, unit=unit, per_second=2.0, before=before)
    seen = before
    tail: deque[str] = deque(maxlen=60)
    with open(log, "a" if before else "w", buffering=1) as record, _group(argv, cwd) as lines:
        for line in lines:
            record.write(line)
            tail.append(line)
            if notes.match(line):
                sink(Message(" ".join(line.split())))
            if not counts.match(line):
                continue
            seen += 1
            if seen > expected // 20:  # before that, the time left is a wild guess
                meter.total = max(expected, seen + 1)
                meter.at(seen)
        code = lines.code()
    if code:
        words = [os.fspath(word) for word in argv]
        raise CommandFailed(failure_text(words, code, "".join(tail)), hint=_("the whole output is in {log}").format(log=log),
                            ident="HIB-E-BUILD")  # fmt: skip
    meter.end(max(seen, 1))
    return seen


class _Lines:
    """The output lines of a program, and its exit code after them."""

    def __init__(self, argv: Sequence[str | os.PathLike[str]], cwd: Path | None) -> None:
        # -1 and -2 are subprocess.PIPE and subprocess.STDOUT
        self.process = spawn(argv, cwd=cwd, stdout=-1, stderr=-2, process_group=0)

    def __iter__(self) -> Iterator[str]:
        assert self.process.stdout
        for line in self.process.stdout:
            yield line.decode(errors="replace")

    def code(self) -> int:
        return self.process.wait()


@contextlib.contextmanager
def _group(argv: Sequence[str | os.PathLike[str]], cwd: Path | None) -> Iterator[_Lines]:
    """Run a program with all its children as one group, which does not outlive this."""
    lines = _Lines(argv, cwd)
    try:
        yield lines
    finally:
        if lines.process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(lines.process.pid, signal.SIGTERM)
        if lines.process.stdout:
            lines.process.stdout.close()
        lines.process.wait()
