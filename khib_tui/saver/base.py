"""The way back from B to A: loaded before any work begins, with the page of A that the report goes to."""

from __future__ import annotations

import struct
from contextlib import suppress

from khib_tui.handover.handover import Handover
from khib_tui.handover.report import Letter, Report
from khib_tui.jump import back
from khib_tui.linux.devmem import PhysicalMemory
from khib_tui.model.ranges import Ranges
from khib_tui.saver.fate import Byte


class Base:
    """What B works with: the hand-over, A's memory and its fate, the way back.

    :param entry: A's jump back entry.
    """

    def __init__(self, handover: Handover, memory: PhysicalMemory, entry: int, fate: Byte) -> None:
        self.handover, self.memory, self.entry, self.fate = handover, memory, entry, fate
        self.letter: Letter | None = None

    def prepare(self) -> None:
        """Load the jump back and map the page for the report; what fails now is tried again when it is needed."""
        with suppress(Exception):
            self.load()
        with suppress(Exception):
            self.letter = self._letter()

    def load(self) -> None:
        """Load the jump back.

        :raises KhibError: the kernel refuses it.
        """
        page = back.stub_page(self.handover.region)
        back.load_back(self.memory, entry=self.entry, gdt=self.handover.gdt, stub_page=page)

    def _letter(self) -> Letter:
        return Letter(self.memory, self.handover.report_page, bytes.fromhex(self.handover.cookie))

    def report(self, report: Report) -> None:
        """Leave a report for A; a report is not worth failing for."""
        with suppress(Exception):
            self.letter = self.letter or self._letter()
            self.letter.write(report)
            self.fate.tell()

    def report_if_none(self, report: Report) -> None:
        """Leave a report unless there is one.

        :raises KhibError: the page has moved, or cannot be mapped.
        """
        self.letter = self._letter()
        if not self.letter.written:
            self.letter.write(report)


def found(handover: Handover, fate: Byte) -> Base:
    """Find the way back that A left.

    :raises KhibError: this kernel was not entered from A.
    """
    memory = PhysicalMemory(writable=True)
    (entry,) = struct.unpack("<Q", memory.read(handover.mailbox, 8))
    back.refuse_bad_entry(entry, Ranges.of(handover.saved))
    return Base(handover, memory, int(entry), fate)
