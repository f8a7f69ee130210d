"""A claim stays only behind a jump, also if the process that made it dies."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from khib_tui.errors import FailedAfterChange, ImageError
from khib_tui.handover.handover import Mode
from khib_tui.image import header as headers
from khib_tui.image.header import State
from khib_tui.image.store import Store
from khib_tui.linux.child import apart
from khib_tui.restorer import claim as claims
from tests.kit.tiny import End, Tiny


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tiny:
    made = Tiny(tmp_path)
    made.patch(monkeypatch)
    made.b(Mode.SAVE)
    return made


def test_the_claim_of_a_process_that_died_before_the_jump_is_taken_back_by_the_next(tiny: Tiny) -> None:
    tiny.jump = lambda _: os.kill(os.getpid(), signal.SIGKILL)
    apart(lambda: print(tiny.c()))
    assert tiny.states() == [State.CLAIMED] * 2 and claims.noted() is not None
    claims.take_back_left()
    assert tiny.resumable() and claims.noted() is None


def test_a_medium_that_takes_no_writes_is_told_and_tried_again(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: int) -> None:
        monkeypatch.setattr(os, "pwritev", broken)
        raise OSError(5, "the jump")

    def broken(*_: object) -> int:
        raise OSError(5, "Input/output error")

    real, tiny.jump = os.pwritev, gone
    end, text = tiny.c()
    assert end is End.STAYED and "could not be made resumable again" in text and not tiny.resumable()
    monkeypatch.setattr(os, "pwritev", real)
    claims.take_back_left()
    assert tiny.resumable()


def test_a_note_that_was_cut_short_claims_nothing(tiny: Tiny) -> None:
    claims.PLACE.write_bytes(b'{"target":')
    claims.take_back_left()
    assert claims.noted() is None and tiny.resumable()


@pytest.mark.parametrize("state", [State.CLAIMED, State.ABANDONED, State.PARTIAL])
def test_only_a_complete_image_is_claimed(tiny: Tiny, state: State) -> None:
    with Store(tiny.image, writable=True) as store:
        header = headers.read(store)
        assert header
        headers.advance(store, header, state)
        with pytest.raises(ImageError):
            claims.claim(store, tiny.target, header.image_id)
    assert claims.noted() is None


def test_another_image_is_not_claimed(tiny: Tiny) -> None:
    with Store(tiny.image, writable=True) as store, pytest.raises(FailedAfterChange):
        claims.claim(store, tiny.target, "another")


def cut(tiny: Tiny, monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
    """Resume, and lose power after so many writes to the image: with it goes the note."""
    real, left = os.pwritev, writes

    def pwritev(fd: int, buffers: Any, offset: int) -> int:
        nonlocal left
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return real(fd, buffers, offset)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwritev", pwritev)
        apart(lambda: print(tiny.c()))
    claims.PLACE.unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("writes", "states"),
    [(0, ["complete", "complete"]), (1, ["complete", "complete"]), (2, ["claimed", "complete"])],
    ids=["before", "no longer told to the boot loader", "one slot"],
)
def test_a_power_cut_within_the_claim_leaves_an_image_that_can_be_resumed(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, writes: int, states: list[str]
) -> None:
    """Once it is repaired: nobody jumps before both slots are claimed."""
    jumps: list[int] = []
    tiny.jump = lambda _: jumps.append(1)
    cut(tiny, monkeypatch, writes)
    assert sorted(str(state) for state in tiny.states()) == states and jumps == []
    assert tiny.resumable(mend=True)


def test_a_power_cut_after_the_claim_leaves_it_for_the_system_may_have_run(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.jump = lambda _: os.kill(os.getpid(), signal.SIGKILL)
    cut(tiny, monkeypatch, 9)
    assert tiny.states() == [State.CLAIMED] * 2 and not tiny.resumable(mend=True)
