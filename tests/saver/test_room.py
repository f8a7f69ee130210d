"""The saver's memory: too little is refused with figures, and what was left at its lowest reaches A's user."""

from __future__ import annotations

import threading
import time

import pytest

from khib_tui.errors import Refused
from khib_tui.handover.report import Outcome, Report
from khib_tui.image import watch as watches
from khib_tui.model.units import MIB
from khib_tui.plan import outcome as arrival
from khib_tui.saver import room
from khib_tui.seal.keyslots import Cipher, Keyslot, Kind, Seal


def test_enough_memory_is_no_refusal() -> None:
    room.refuse_shortage(176 * MIB, room.NEEDED, 150 * MIB)


def test_too_little_memory_is_refused_with_figures_and_a_region_that_is_large_enough() -> None:
    with pytest.raises(Refused) as caught:
        room.refuse_shortage(176 * MIB, 30 * MIB, 150 * MIB)
    assert "30.0 MiB of 150.0 MiB" in caught.value.message and "40.0 MiB" in caught.value.message
    assert caught.value.ident == "HIB-E-SAVER-MEMORY" and "--region 192M" in str(caught.value.hint)


def test_the_lowest_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    free = [90 * MIB]
    monkeypatch.setattr(watches, "available", lambda: free[0])
    monkeypatch.setattr(watches, "_SECONDS", 0.001)
    watch = watches.Watch()
    assert watch.lowest == 90 * MIB
    with watch:
        free[0] = 20 * MIB
        deadline = time.monotonic() + 30
        while watch.lowest != 20 * MIB and time.monotonic() < deadline:
            time.sleep(0.01)
        free[0] = 80 * MIB
        time.sleep(0.05)
    assert watch.lowest == 20 * MIB
    assert watch.words("saver").startswith("memory of the saver: 20.0 MiB of ")
    assert room.noted(Report(Outcome.REHEARSED), watch).saver_memory_free == 20 * MIB


def test_who_looks_does_not_outlive_a_watch_that_never_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "_SECONDS", 0.001)
    before = set(threading.enumerate())
    watch = watches.Watch().__enter__()
    (looker,) = set(threading.enumerate()) - before
    del watch
    looker.join(30)
    assert not looker.is_alive()


def test_the_figures_reach_the_user() -> None:
    report = Report(Outcome.REHEARSED, "both ways work", saver_memory=150 * MIB, saver_memory_free=70 * MIB)
    assert arrival.report_text(report, 2).endswith("memory of the saver: 70.0 MiB of 150.0 MiB free at its lowest")
    assert "memory of the saver" not in arrival.report_text(Report(Outcome.REHEARSED, "both ways work"), 2)


@pytest.mark.parametrize(("memory", "free", "enough"), [(64, 76, True), (64, 75, False), (128, 139, False), (8, 40, True)])
def test_an_image_that_c_has_no_memory_to_open_is_not_made(memory: int, free: int, enough: bool) -> None:
    slots = [Keyslot(Kind.PASSPHRASE, 3, 8 * 1024, 4, b"", b""), Keyslot(Kind.RECOVERY, 3, memory * 1024, 4, b"", b"")]
    seal = Seal(Cipher.AES, tuple(slots))
    room.refuse_shortage(176 * MIB, free * MIB, 150 * MIB)
    if enough:
        room.refuse_shortage(176 * MIB, free * MIB, 150 * MIB, seal)
        return
    with pytest.raises(Refused) as caught:
        room.refuse_shortage(176 * MIB, free * MIB, 150 * MIB, seal)
    assert caught.value.ident == "HIB-E-SAVER-MEMORY" and f"takes at least {memory + 12}.0 MiB" in caught.value.message
    assert "opening the sealed image" in caught.value.message and "--region" in str(caught.value.hint)
