"""What is built once and kept, and the watching of the programs that build it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import signal
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from khib_tui.errors import CommandFailed
from khib_tui.events.progress import Meter
from khib_tui.events.types import Sink, StageName
from khib_tui.runner import failure_text, spawn


def cache_dir() -> Path:
    """Return the directory that all of it lies in: $KHIB_CACHE, $XDG_CACHE_HOME/khib or ~/.cache/khib."""
    if own := os.environ.get("KHIB_CACHE"):
        return Path(own)
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "khib"
    return Path.home() / ".cache" / "khib"


def digest_of(*parts: str | bytes | Path) -> str:
    """Return a short SHA-256 of the parts in their order; a Path counts as what the file holds."""
    total = hashlib.sha256()
    for part in parts:
        data = part.read_bytes() if isinstance(part, Path) else part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()[:16]


@contextlib.contextmanager
def locked(name: str, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock of a cache entry; `waiting` is called once if somebody else has it."""
    directory = cache_dir()
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / f".{name}.lock", "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting:
                waiting()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def entry(name: str, build: Callable[[Path], None], waiting: Callable[[], None] | None = None) -> Path:
    """Return the directory `name` of the cache, made by `build(directory)` if it is not there yet.

    It is built under a temporary name and renamed when whole, so an interrupted build leaves nothing behind that
    counts. Whoever comes second waits for the first.
    """
    target = cache_dir() / name
    if target.is_dir():
        return target
    with locked(name, waiting):
        if target.is_dir():
            return target
        for left in target.parent.glob(f".{name}.tmp-*"):
            shutil.rmtree(left, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix=f".{name}.tmp-", dir=target.parent))
        try:
            build(work)
            work.chmod(0o755)
            os.sync()
            work.rename(target)
        except BaseException:
            shutil.rmtree(work, ignore_errors=True)
            raise
    return target


def follow(
    sink: Sink, stage: StageName, argv: Sequence[str | os.PathLike[str]], *, counts: re.Pattern[str], expected: int,
    unit: str, log: Path, cwd: Path | None = None,
) -> int:  # fmt: skip
    """Run a long program and report its progress by counting the lines that `counts` matches.

    :param expected: about how many such lines there will be; the total grows when there are more.
    :param log: where all of its output is kept.
    :returns: how many there were.
    :raises CommandFailed: it failed; the hint names the log.
    """
    meter = Meter(sink, stage, expected, unit=unit, per_second=2.0)
    seen = 0
    tail: deque[str] = deque(maxlen=60)
    with open(log, "w", buffering=1) as record, _group(argv, cwd) as lines:
        for line in lines:
            record.write(line)
            tail.append(line)
            if not counts.match(line):
                continue
            seen += 1
            if seen > expected // 20:  # before that, the time left is a wild guess
                meter.total = max(expected, seen + 1)
                meter.at(seen)
        code = lines.code()
    if code:
        words = [os.fspath(word) for word in argv]
        raise CommandFailed(failure_text(words, code, "".join(tail)), hint=f"the whole output is in {log}",
                            ident="HIB-E-BUILD")  # fmt: skip
    meter.total = max(seen, 1)
    meter.at(meter.total)
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
