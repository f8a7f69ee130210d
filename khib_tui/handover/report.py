"""The hand-back: one page of A in which B or C leaves its report before jumping.

A page can move between A's look-up of its physical address and the jump, so it begins with a random cookie, and a report
is only written over a page that has it.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import struct
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import IO

import msgspec

from khib_tui.errors import Refused
from khib_tui.i18n import _
from khib_tui.linux.devmem import PhysicalMemory
from khib_tui.model import jsontext
from khib_tui.model.ranges import Ranges
from khib_tui.model.text import clean
from khib_tui.model.units import PAGE

COOKIE_SIZE = 32
_LENGTH = struct.Struct("<I")
_ROOM = PAGE - COOKIE_SIZE - _LENGTH.size
_PRESENT = 1 << 63
_PFN = (1 << 55) - 1


class Outcome(StrEnum):
    """How the journey of A ended."""

    REHEARSED = "rehearsed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    RESUMED = "resumed"
    WOKEN = "woken"


class Report(msgspec.Struct, frozen=True):
    """What B or C tells A. Sizes are bytes, times seconds.

    `saver_memory` is what B's kernel had, `saver_memory_free` how much of it was free at its lowest; 0 if nobody looked.
    `codec` is what the image is compressed with.
    """

    outcome: Outcome
    text: str = ""
    hint: str = ""
    ident: str = ""
    image_id: str = ""
    image_bytes: int = 0
    memory_bytes: int = 0
    save_seconds: float = 0.0
    restore_seconds: float = 0.0
    saver_memory: int = 0
    saver_memory_free: int = 0
    codec: str = ""


class ReportPage:
    """A locked page of this process whose physical address is known and lies in memory that is saved.

    Pages are taken until one does; as many as there are outside of `saved` may have to be taken before, and are given back.

    :param saved: physical ranges the page must lie in; others come back through shadow pages that B cannot see.
    :param others: bytes of memory outside of `saved`.
    :raises Refused: no such page could be had.
    """

    def __init__(self, saved: Ranges, others: int, pagemap: Path = Path("/proc/self/pagemap")) -> None:
        self.cookie = os.urandom(COOKIE_SIZE)
        count = others // PAGE + 2
        self.pool = mmap.mmap(-1, count * PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        with suppress(OSError):  # a kernel without huge pages does not know the advice
            self.pool.madvise(mmap.MADV_NOHUGEPAGE)
        self.base = ctypes.addressof(ctypes.c_char.from_buffer(self.pool))
        with pagemap.open("rb", buffering=0) as stream:
            self.offset, self.physical = self._search(stream, saved, count)
        self._lock()
        self._release(0, self.offset)

    def _search(self, pagemap: IO[bytes], saved: Ranges, count: int) -> tuple[int, int]:
        """Return offset in the pool and physical address of the first fitting page."""
        for offset in range(0, count * PAGE, PAGE):
            self.pool[offset : offset + COOKIE_SIZE] = self.cookie
            physical = self._look_up(pagemap, offset)
            if not physical:
                break
            if saved.covers(Ranges.of([(physical, physical + PAGE)])):
                return offset, physical
        raise Refused(_("no page for the report could be had"), hint=_("run as root"), ident="HIB-E-REPORT-PAGE")

    def _lock(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mlock(ctypes.c_void_p(self.base + self.offset), ctypes.c_size_t(PAGE))

    def _release(self, start: int, end: int) -> None:
        if end > start:
            self.pool.madvise(mmap.MADV_DONTNEED, start, end - start)

    def _look_up(self, pagemap: IO[bytes], offset: int) -> int:
        pagemap.seek((self.base + offset) // PAGE * 8)
        entry = int.from_bytes(pagemap.read(8), "little")
        return (entry & _PFN) * PAGE if entry & _PRESENT else 0

    def read(self) -> Report | None:
        """Read the report after the way back; None if nobody left one."""
        data = self.pool[self.offset : self.offset + PAGE]
        (length,) = _LENGTH.unpack_from(data, COOKIE_SIZE)
        if not 0 < length <= _ROOM:
            return None
        start = COOKIE_SIZE + _LENGTH.size
        try:
            report = jsontext.decode(data[start : start + length], Report)
        except msgspec.DecodeError:
            return None
        texts = {"text": clean(report.text, PAGE), "hint": clean(report.hint, PAGE)}
        texts |= {"ident": clean(report.ident), "codec": clean(report.codec)}
        return msgspec.structs.replace(report, **texts)


class Letter:
    """A's report page, mapped by B or C: writing takes little memory then.

    :raises Refused: the page has moved, and the report would be lost.
    :raises CommandFailed: it cannot be mapped.
    """

    def __init__(self, memory: PhysicalMemory, page: int, cookie: bytes) -> None:
        self.mapped = memory.map(page, page + PAGE)
        if self.mapped[:COOKIE_SIZE] != cookie:
            self.mapped.close()
            raise Refused(_("the report page has moved: there will be no report"), ident="HIB-E-REPORT-PAGE")

    @property
    def written(self) -> bool:
        """Whether there is a report."""
        return self.mapped[COOKIE_SIZE : COOKIE_SIZE + _LENGTH.size] != bytes(_LENGTH.size)

    def write(self, report: Report) -> None:
        """Write a report; it counts once its length is there."""
        body = _fit(report)
        start = COOKIE_SIZE + _LENGTH.size
        self.mapped[COOKIE_SIZE:start] = bytes(_LENGTH.size)
        self.mapped[start : start + len(body)] = body
        self.mapped[COOKIE_SIZE:start] = _LENGTH.pack(len(body))

    def close(self) -> None:
        """Unmap it."""
        self.mapped.close()


def leave(memory: PhysicalMemory, page: int, cookie: bytes, report: Report) -> bool:
    """Write the report into A's page; False if the page has moved and the report is lost."""
    try:
        letter = Letter(memory, page, cookie)
    except Refused:
        return False
    letter.write(report)
    letter.close()
    return True


def _fit(report: Report) -> bytes:
    body = jsontext.encode(report)
    for most in (500, 100):
        if len(body) > _ROOM:
            body = jsontext.encode(
                msgspec.structs.replace(report, text=clean(report.text, most), hint=clean(report.hint, most))
            )
    return body


def new_image_id() -> str:
    """Make the identity of a new image."""
    return os.urandom(16).hex()
