"""The kernel's own messages on the console, which would be drawn over a screen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PRINTK = Path("/proc/sys/kernel/printk")
QUIET = "1 4 1 7\n"


def quiet_kernel(path: Path = PRINTK) -> None:
    """Let only emergencies through from now on.

    :raises OSError: we may not.
    """
    path.write_text(QUIET)


@contextmanager
def kernel_quiet(path: Path = PRINTK) -> Iterator[None]:
    """Let only emergencies through for the time of a `with`; without the right to, nothing changes."""
    try:
        before = path.read_text()
        quiet_kernel(path)
    except OSError:
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):
            path.write_text(before)
