"""A's memory as B and C see it: windows of /dev/mem.

Only mmap works above the RAM of the running kernel, and only without O_SYNC is it cached (drivers/char/mem.c).
"""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from khib_tui.errors import CommandFailed
from khib_tui.i18n import _
from khib_tui.linux.buffers import address_of
from khib_tui.model.ranges import Ranges
from khib_tui.model.units import MIB, PAGE

WINDOW = 64 * MIB


class PhysicalMemory:
    """Physical memory by address; a plain file can stand in for it.

    :raises CommandFailed: the kernel denies it, at opening or at mapping.
    """

    def __init__(self, path: Path = Path("/dev/mem"), *, writable: bool = False) -> None:
        self.writable = writable
        try:
            self.fd = os.open(path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)
        except OSError as error:
            raise CommandFailed(f"{path}: {error.strerror}", ident="HIB-E-DEVMEM") from error

    def close(self) -> None:
        """Give the file back; windows must be closed before."""
        os.close(self.fd)

    def map(self, start: int, end: int) -> mmap.mmap:
        """Map whole pages `[start, end)`, which must not cross the edge of this kernel's own RAM."""
        access = mmap.PROT_READ | (mmap.PROT_WRITE if self.writable else 0)
        try:
            return mmap.mmap(self.fd, end - start, mmap.MAP_SHARED | mmap.MAP_POPULATE, access, offset=start)
        except (OSError, ValueError) as error:
            raise CommandFailed(
                _("memory at {start:#x}..{end:#x} is denied: {error}").format(start=start, end=end, error=error),
                ident="HIB-E-DEVMEM",
            ) from error

    @contextmanager
    def window(self, start: int, end: int) -> Iterator[mmap.mmap]:
        """Map for the time of a `with`."""
        mapped = self.map(start, end)
        try:
            yield mapped
        finally:
            mapped.close()

    def read(self, start: int, count: int) -> bytes:
        """Read bytes at any address."""
        first = start // PAGE * PAGE
        with self.window(first, -(-(start + count) // PAGE) * PAGE) as mapped:
            return mapped[start - first : start - first + count]

    def write(self, start: int, data: bytes) -> None:
        """Write bytes at any address."""
        first = start // PAGE * PAGE
        with self.window(first, -(-(start + len(data)) // PAGE) * PAGE) as mapped:
            mapped[start - first : start - first + len(data)] = data


def span(address: int, allowed: Ranges) -> tuple[int, int]:
    """Return the window that an address lies in: aligned, and clipped to the range of `allowed` that holds the address.

    :raises CommandFailed: none does.
    """
    for start, end in allowed.overlapping(address, address + 1):
        base = address // WINDOW * WINDOW
        return max(start, base), min(end, base + WINDOW)
    raise CommandFailed(_("memory at {address:#x} is not A's").format(address=address), ident="HIB-E-DEVMEM")


class Mapping(Struct):
    """A mapping of the physical memory `[start, end)`, where it lies in this process, and how many use it."""

    start: int
    end: int
    mapped: mmap.mmap
    address: int
    users: int = 0


class Mappings:
    """Mappings shared by threads; those nobody uses are closed when there are more than `keep`."""

    def __init__(self, memory: PhysicalMemory, allowed: Ranges, keep: int = 6) -> None:
        self.memory, self.allowed, self.keep = memory, allowed, keep
        self.open: dict[int, Mapping] = {}
        self.lock = threading.Lock()

    @contextmanager
    def at(self, address: int) -> Iterator[Mapping]:
        """Return the mapping that holds an address."""
        window = self._take(address)
        try:
            yield window
        finally:
            self._give_back(window)

    def pieces(self, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Yield the addresses in this process of spans of physical memory, and how many bytes are there in one piece.

        Each is good until the next one is asked for.
        """
        window: Mapping | None = None
        try:
            for start, end in spans:
                while start < end:
                    if window is None or not window.start <= start < window.end:
                        if window is not None:
                            self._give_back(window)
                            window = None
                        window = self._take(start)
                    stop = end if end < window.end else window.end
                    yield window.address + start - window.start, stop - start
                    start = stop
        finally:
            if window is not None:
                self._give_back(window)

    def _take(self, address: int) -> Mapping:
        start, end = span(address, self.allowed)
        with self.lock:
            if start not in self.open:
                mapped = self.memory.map(start, end)
                self.open[start] = Mapping(start, end, mapped, address_of(mapped))
            self.open[start].users += 1
            return self.open[start]

    def _give_back(self, window: Mapping) -> None:
        with self.lock:
            window.users -= 1
            if len(self.open) <= self.keep:
                return
            idle = [window for window in self.open.values() if not window.users]
            for closing in idle[: len(self.open) - self.keep]:
                self.open.pop(closing.start).mapped.close()

    def close(self) -> None:
        """Unmap all that nobody uses: a thread that still does must not find it gone."""
        with self.lock:
            for window in [window for window in self.open.values() if not window.users]:
                self.open.pop(window.start).mapped.close()
