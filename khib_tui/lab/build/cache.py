"""What is built once and kept."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from khib_tui.files import cache_dir


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
