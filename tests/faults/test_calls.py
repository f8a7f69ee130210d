"""Each call that can fail does, once and from then on, in B and in C.

What must hold: A never runs beside an image that could be resumed; it is never lost while it could be reached; only a jump
that happened leaves an image claimed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from khib_tui.handover.handover import Mode
from khib_tui.image.header import State
from khib_tui.jump import back
from khib_tui.restorer import claim as claims
from khib_tui.saver import leave, supervise
from tests.kit.faults import MEDIUM, OTHERS, Faults
from tests.kit.tiny import End, Tiny

KINDS = (*MEDIUM, *OTHERS)
# Where the way back is what fails for good, nobody can go it: B opens A's memory first, and maps two pages of it.
CLOSED = {("kexec_load", 1), ("reboot", 1), ("mmap", 1), ("mmap", 2), ("open", 1)}


@pytest.fixture(params=["partition", "file"])
def tiny(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tiny:
    made = Tiny(tmp_path, request.param == "file")
    made.patch(monkeypatch)
    return made


@pytest.fixture
def faults(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> Faults:
    made = Faults()
    made.patch(monkeypatch, tiny.reboot, back, supervise, leave)
    tiny.guarded, tiny.leaving = made.during, made.disarm
    return made


def cases(faults: Faults, counted: dict[str, int], step: int) -> Iterator[str]:
    """Arm each fault in turn; gives what it is."""
    for kind in KINDS:
        for at in range(1, counted.get(kind, 0) + 1, step):
            for on in (False, True):
                for short in (False, True) if kind == "pwritev" else (False,):
                    faults.kind, faults.at, faults.on, faults.short = kind, at, on, short
                    yield f"{kind} {at}{' and on' if on else ''}{' short' if short else ''}"
    faults.kind, faults.at, faults.on, faults.short = "", 0, False, False


def told(ends: Counter[str]) -> str:
    """Say how often each end was."""
    return ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))


def wrong_in_b(tiny: Tiny, faults: Faults, mode: Mode, end: End) -> str:
    """What must not be after a run of B; empty if all is well."""
    complete = State.COMPLETE in tiny.states()
    if end is End.BACK and (complete or tiny.resumable(mend=True)):
        return "A runs beside a complete image"
    if end is End.OFF and mode is not Mode.SAVE:
        return "a rehearsal powered off"
    if end is End.OFF and not tiny.resumable(mend=True) and not (faults.on and faults.kind in MEDIUM):
        return "power off without an image"
    if end is End.STRANDED and not (faults.on and (faults.kind, faults.at) in CLOSED):
        return "A is lost while it could be reached"
    return ""


@pytest.mark.parametrize(("mode", "step"), [(Mode.SAVE, 1), (Mode.REHEARSE_SAVE, 3), (Mode.REHEARSE, 1)])
def test_whatever_fails_in_the_saver_nobody_is_lost_and_nothing_lives_twice(
    tiny: Tiny, faults: Faults, mode: Mode, step: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tiny.b(mode, faults.sink) is (End.OFF if mode is Mode.SAVE else End.BACK)
    counted, ends, wrong = dict(faults.seen), Counter[str](), []
    for name in cases(faults, counted, step):
        tiny.fresh()
        end = tiny.b(mode, faults.sink)
        if what := wrong_in_b(tiny, faults, mode, end):
            wrong.append(f"{name}: {what} {tiny.states()}")
        unknown = end is End.OFF and not tiny.resumable(mend=True)
        ends["power off, as the medium was gone while it became complete" if unknown else end] += 1
    with capsys.disabled():
        print(f"\n{mode} to a {'file' if tiny.file else 'partition'}: {sum(ends.values())} faults: {told(ends)}")
    assert sum(ends.values()) > 10
    assert wrong == []


def test_whatever_fails_in_the_restorer_only_a_jump_leaves_an_image_claimed(
    tiny: Tiny, faults: Faults, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.b(Mode.SAVE)
    image, ends, wrong = tiny.image.read_bytes(), Counter[str](), []
    assert tiny.c(faults.sink) == (End.BACK, "")
    counted = dict(faults.seen)
    for name in cases(faults, counted, 1):
        tiny.image.write_bytes(image)
        end, _ = tiny.c(faults.sink)
        ends[end] += 1
        if end is End.BACK:
            if tiny.states() != [State.CLAIMED] * 2:
                wrong.append(f"{name}: jumped with {tiny.states()}")
            continue
        if faults.on:
            claims.take_back_left()
        if not tiny.resumable():
            wrong.append(f"{name}: not jumped, and {tiny.states()}")
    with capsys.disabled():
        print(f"\nresume from a {'file' if tiny.file else 'partition'}: {sum(ends.values())} faults: {told(ends)}")
    assert sum(ends.values()) > 50
    assert wrong == []
