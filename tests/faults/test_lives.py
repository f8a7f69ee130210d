"""Random lives with a ledger of what has run: no session resumes twice, after it went on, or with another's memory."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from khib_tui.handover.handover import Mode
from khib_tui.image import header as headers
from khib_tui.image import marks
from khib_tui.image.header import State
from khib_tui.image.store import Store
from khib_tui.linux import sleep
from khib_tui.model.choices import After
from khib_tui.model.units import PAGE
from khib_tui.plan.close import close
from khib_tui.saver import leave
from tests.kit.tiny import RAM, REGION, REPORT, End, Left, Tiny


class PowerCut(Left):
    """The power goes: nothing is written any more."""


class Supply:
    """Cuts the power at the n-th write, which is torn."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.left = -1
        self.noise = random.Random(1)
        self.real = os.pwritev
        patch.setattr(os, "pwritev", self.write)
        patch.setattr(os, "fsync", self.wrap(os.fsync))

    def check(self) -> None:
        """Let nobody leave a kernel that has no power."""
        if self.left == 0:
            raise PowerCut

    def wrap(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Make a call fail once the power is gone."""

        def call(*args: Any) -> Any:
            if self.left == 0:
                raise PowerCut
            return real(*args)

        return call

    def write(self, fd: int, buffers: Any, offset: int) -> int:
        """Write, or as much as still can be."""
        if self.left == 0:
            raise PowerCut
        self.left -= self.left > 0
        if self.left == 0:
            torn = 512 * self.noise.randrange(len(buffers[0]) // 512 + 1)
            if torn:
                tear(fd, offset, bytes(buffers[0][:torn]))
            raise PowerCut
        return self.real(fd, buffers, offset)


def tear(fd: int, offset: int, data: bytes) -> None:
    """Write a part of a block, past the rules of direct I/O."""
    with open(f"/proc/self/fd/{fd}", "r+b", buffering=0) as stream:
        stream.seek(offset)
        stream.write(data)


class Life:
    """A machine's life. `turn` counts what A did since it was born; `saved` is the turn in the image, if it may resume."""

    def __init__(self, tiny: Tiny, supply: Supply, seed: int) -> None:
        self.tiny, self.supply, self.noise = tiny, supply, random.Random(seed)
        self.turn, self.saved, self.number = 0, -1, 0
        self.done: Counter[str] = Counter()
        tiny.fresh(seed)
        self.image_id = ""

    def memory(self) -> bytes:
        """A's memory without the region and the page for reports."""
        data = self.tiny.memory.read_bytes()
        return b"".join(data[start:end] for start, end in RAM - REGION if start != REPORT)[PAGE:]

    def run(self) -> None:
        """A works on: its memory changes, and what was saved before must never come back."""
        self.turn += 1
        self.saved = -1
        data = bytearray(self.tiny.memory.read_bytes())
        data[10 * PAGE : 10 * PAGE + 8] = self.turn.to_bytes(8, "little")
        self.tiny.memory.write_bytes(data)

    def away(self, mode: Mode) -> None:
        """Go to B, and perhaps lose power there."""
        self.number += 1
        self.image_id = f"{self.number:032x}"
        before = self.tiny.memory.read_bytes()
        after = self.noise.choice([After.POWEROFF, After.HYBRID])
        end = self.cut(lambda: self.tiny.b(mode, image_id=self.image_id, after=after))
        if end is End.BACK:
            self.done["woken" if after is After.HYBRID and mode is Mode.SAVE else "back"] += 1
            self.settle()
            return
        self.done["off" if end is End.OFF else "cut in B"] += 1
        # the image may be complete, whatever the power did
        self.saved, self.kept = self.turn, before
        self.boot()

    def suspend(self) -> None:
        """Sleep with the memory on, unless that is refused, until somebody wakes the machine or its battery is empty."""
        match self.noise.randrange(4):
            case 0:
                raise OSError(16, "Device or resource busy")
            case 1:
                self.done["cut asleep"] += 1
                raise PowerCut

    def cut(self, work: Callable[[], Any]) -> Any:
        """Do something, and perhaps cut the power meanwhile; gives None then."""
        self.supply.left = self.noise.choice([-1, -1, -1, *range(1, 14)])
        try:
            return work()
        except PowerCut:
            return None
        finally:
            self.supply.left = -1

    def settle(self) -> None:
        """A is back: it must not stand beside an image of itself."""
        assert State.COMPLETE not in self.tiny.states(), "A runs beside a complete image"
        self.run()

    def boot(self) -> None:
        """The machine is off: resume, a few times if the power goes, or start A anew."""
        for _ in range(self.noise.randrange(1, 4)):
            if self.noise.random() < 0.3 and self.tiny.header():
                self.cut(self.mend)
            self.tiny.memory.write_bytes(b"\xaa" * len(self.tiny.memory.read_bytes()))
            end = self.cut(lambda: self.tiny.c())
            if end is not None and end[0] is End.BACK:
                self.arrived()
                return
            self.done["not resumed"] += 1
        self.tiny.memory.write_bytes(self.kept)
        self.run()
        self.discard()

    def mend(self) -> None:
        """Repair the header, as a person would."""
        with Store(self.tiny.image, writable=True) as store:
            headers.mend(store)

    def arrived(self) -> None:
        """A was resumed: it must be the one that was saved, and must not have run since."""
        self.done["resumed"] += 1
        assert self.saved == self.turn, "a session came back that had gone on, or had been resumed before"
        now = self.memory()
        self.tiny.memory.write_bytes(self.kept)
        assert now == self.memory(), "another memory came back"
        with Store(self.tiny.image, writable=True) as store:
            close(store, self.image_id)
        self.run()

    def discard(self) -> None:
        """A was started normally: the image is given up, by the guard at first if it is there."""
        if self.noise.random() < 0.5:
            self.guard()
            return
        with Store(self.tiny.image, writable=True) as store:
            header = headers.read_or_given_up(store)
            if header:
                headers.advance(store, header, State.ABANDONED, "discarded")

    def guard(self) -> None:
        """Mark an image as the guard of A does: the next save finds it so."""
        with Store(self.tiny.image, writable=True) as store:
            header = headers.read_or_given_up(store)
            if header and header.state is State.COMPLETE:
                self.done["marked"] += 1
                store.write(marks.OFFSET, bytes(marks.RESUME_SIZE) + marks.GIVEN_UP + f" {header.image_id}\n".encode())


@pytest.mark.parametrize("lives", [40, pytest.param(2000, marks=pytest.mark.long)])
def test_no_life_has_a_double_a_ghost_or_a_stranger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lives: int, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = Tiny(tmp_path)
    tiny.patch(monkeypatch)
    monkeypatch.setattr(leave, "_PAUSE", 0)
    supply, done = Supply(monkeypatch), Counter[str]()
    tiny.leaving = supply.check
    for seed in range(lives):
        life = Life(tiny, supply, seed)
        monkeypatch.setattr(sleep, "suspend", life.suspend)
        for _ in range(4):
            life.away(life.noise.choice([Mode.SAVE, Mode.SAVE, Mode.SAVE, Mode.REHEARSE_SAVE]))
        done += life.done
    with capsys.disabled():
        print(f"\n{lives} lives: {dict(done)}")
    assert (
        min(done[name] for name in ("resumed", "not resumed", "cut in B", "back", "off", "marked", "woken", "cut asleep")) > 0
    )
