"""Every state that a power cut can leave: only a session that did not go on can be resumed, and it is the right one."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from khib_tui.errors import CommandFailed, KhibError
from khib_tui.events.types import Event, Progress, StageName
from khib_tui.handover.handover import Mode
from khib_tui.image import header as headers
from khib_tui.image import marks
from khib_tui.image.header import State
from khib_tui.image.store import BLOCK, Store
from khib_tui.plan.close import close
from tests.kit.tiny import RAM, REGION, REPORT, TARGET, Tiny

Do = Callable[[Tiny], None]
MINE = "ab" * 16


def save(tiny: Tiny) -> None:
    tiny.b(Mode.SAVE, image_id=MINE)


def rehearse(tiny: Tiny) -> None:
    tiny.b(Mode.REHEARSE_SAVE, image_id=MINE)


def stopped(tiny: Tiny) -> None:
    """A save that fails in its midst; the image is given up."""

    def sink(event: Event) -> None:
        if isinstance(event, Progress) and event.stage == StageName.SAVE:
            raise KeyboardInterrupt

    tiny.b(Mode.SAVE, sink, image_id=MINE)


def resume(tiny: Tiny) -> None:
    tiny.c()


def refused(tiny: Tiny) -> None:
    """A resume whose jump the kernel refuses; the claim is taken back."""

    def no(_: int) -> None:
        raise CommandFailed("no")

    real, tiny.jump = tiny.jump, no
    tiny.c()
    tiny.jump = real


def closed(tiny: Tiny) -> None:
    """A is back, and closes its image."""
    with Store(tiny.image, writable=True) as store:
        close(store, MINE)


def discard(tiny: Tiny) -> None:
    with Store(tiny.image, writable=True) as store:
        header = headers.read(store)
        assert header
        headers.advance(store, header, State.ABANDONED, "discarded")


def repaired(tiny: Tiny) -> None:
    with Store(tiny.image, writable=True) as store:
        headers.mend(store)


def given_up(tiny: Tiny) -> None:
    """The guard of A writes as `khib_tui/guard` does: what boot loaders see goes first."""
    with Store(tiny.image, writable=True) as store:
        marks.clear_resume(store)
        store.write(marks.OFFSET, bytes(marks.RESUME_SIZE) + marks.GIVEN_UP + f" {MINE}\n".encode())
        store.flush()


# What is done, and whether the session may be resumed after it.
SCENARIOS: dict[str, list[tuple[Do, bool]]] = {
    "saved": [(save, True)],
    "rehearsed": [(rehearse, False)],
    "stopped": [(stopped, False)],
    "resumed": [(save, True), (resume, False)],
    "resumed and closed": [(save, True), (resume, False), (closed, False)],
    "refused, then resumed": [(save, True), (refused, True), (resume, False)],
    "discarded": [(save, True), (discard, False)],
    "went on beside it": [(save, True), (closed, False)],
    "saved over a rehearsal": [(rehearse, False), (save, True)],
    "repaired, then resumed": [(save, True), (repaired, True), (resume, False)],
    "given up": [(save, True), (given_up, False)],
    "given up and repaired": [(save, True), (given_up, False), (repaired, False)],
    "given up and discarded": [(save, True), (given_up, False), (discard, False)],
    "given up and rehearsed over": [(save, True), (given_up, False), (rehearse, False)],
}


class Medium:
    """Notes what is written to an image and when it is durable; `may` is whether it may be resumable at that moment."""

    def __init__(self, image: Path, patch: pytest.MonkeyPatch) -> None:
        self.image, self.may, self.on = image, False, True
        self.log: list[tuple[int, bytes, bool] | bool] = []
        self.write, self.sync = os.pwritev, os.fsync
        patch.setattr(os, "pwritev", self.pwritev)
        patch.setattr(os, "fsync", self.fsync)

    def off(self) -> None:
        """Note nothing more: the kernel that wrote has been left."""
        self.on = False

    def ours(self, fd: int) -> bool:
        return self.on and Path(f"/proc/self/fd/{fd}").readlink() == self.image

    def pwritev(self, fd: int, buffers: Any, offset: int) -> int:
        done = self.write(fd, buffers, offset)
        if self.ours(fd):
            self.log.append((offset, bytes(buffers[0]), self.may))
        return done

    def fsync(self, fd: int) -> None:
        self.sync(fd)
        if self.ours(fd):
            self.log.append(self.may)

    def states(self, noise: random.Random, count: int) -> list[tuple[bytes, bool]]:
        """States after a cut, and whether the image may be resumable in each."""
        durable, found = bytearray(TARGET), []
        waiting: list[tuple[int, bytes, bool]] = []
        each = -(-count // len(self.log))
        for entry in self.log:
            if not isinstance(entry, bool):
                waiting.append(entry)
            for _ in range(each):
                found.append((cut(durable, waiting, noise), entry if isinstance(entry, bool) else entry[2]))
            if isinstance(entry, bool):
                for offset, data, _may in waiting:
                    durable[offset : offset + len(data)] = data
                waiting.clear()
        return found


def cut(durable: bytearray, waiting: list[tuple[int, bytes, bool]], noise: random.Random) -> bytes:
    """What is on the medium when some of the last writes were lost or torn."""
    left = bytearray(durable)
    for offset, data, _ in waiting:
        if noise.random() < 0.5:
            unit = noise.choice((512, 4096, len(data)))
            torn = unit * noise.randrange(len(data) // unit + 1)
            left[offset : offset + torn] = data[:torn]
    return bytes(left)


def memory(tiny: Tiny) -> bytes:
    """A's memory without the region and the page for reports."""
    data = tiny.memory.read_bytes()
    return b"".join(data[start:end] for start, end in RAM - REGION - REPORT_PAGE)


REPORT_PAGE = RAM.clip(REPORT, REPORT + 4096)


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("count", [30, pytest.param(1000, marks=pytest.mark.long)])
def test_a_cut_at_any_point_leaves_nothing_that_may_not_be_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, count: int
) -> None:
    tiny = Tiny(tmp_path)
    tiny.patch(monkeypatch)
    medium, before = Medium(tiny.image, monkeypatch), memory(tiny)
    tiny.leaving = medium.off
    for do, may in SCENARIOS[name]:
        medium.may |= may
        medium.on = True
        do(tiny)
        medium.may = may
    medium.off()
    wrong = []
    for number, (state, may) in enumerate(medium.states(random.Random(7), count)):
        tiny.image.write_bytes(state)
        if marks.resume_id(state[marks.OFFSET : marks.OFFSET + BLOCK]) and not waits(tiny):
            wrong.append(f"state {number}: boot loaders would start C for nothing")
        if not mended(tiny):
            continue
        tiny.memory.write_bytes(b"\xaa" * len(tiny.memory.read_bytes()))
        tiny.c()
        if not may or memory(tiny) != before:
            wrong.append(f"state {number}: {'another memory' if may else 'resumed once more'}")
    assert wrong == []


def waits(tiny: Tiny) -> bool:
    """Whether the header, as it is, says that the image is complete."""
    header = tiny.header()
    return header is not None and header.state is State.COMPLETE


def test_a_claim_that_is_taken_back_tells_boot_loaders_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = Tiny(tmp_path)
    tiny.patch(monkeypatch)
    save(tiny)
    before = tiny.image.read_bytes()[marks.OFFSET :][: marks.RESUME_SIZE]
    refused(tiny)
    assert tiny.image.read_bytes()[marks.OFFSET :][: marks.RESUME_SIZE] == before and any(before)
    real, calls = headers.write, iter([True])

    def fails_once(*words: Any) -> headers.Header:
        if next(calls, False):
            raise OSError(5, "no")
        return real(*words)

    monkeypatch.setattr(headers, "write", fails_once)
    tiny.c()
    assert tiny.image.read_bytes()[marks.OFFSET :][: marks.RESUME_SIZE] == before and waits(tiny)


def mended(tiny: Tiny) -> bool:
    """Whether an image can be resumed, after a repair."""
    try:
        return tiny.resumable(mend=True)
    except KhibError:
        return False
