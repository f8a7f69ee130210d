"""Leaving the machine: a hybrid one that woke runs on only when its image is given up, and all others are off."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from khib_tui.handover.handover import Mode
from khib_tui.handover.report import Outcome
from khib_tui.image import header as headers
from khib_tui.image.header import State
from khib_tui.image.store import Store
from khib_tui.linux import sleep
from khib_tui.linux.syscalls import REBOOT_KEXEC, REBOOT_POWER_OFF, REBOOT_RESTART
from khib_tui.model.choices import After
from khib_tui.saver import leave
from khib_tui.saver.settle import WOKEN
from tests.kit.tiny import End, Tiny


class Firmware:
    """The machine's sleep: `asleep` is what happens to it meanwhile."""

    def __init__(self) -> None:
        self.asleep: Callable[[], None] = lambda: None
        self.did: list[str] = []

    def suspend(self) -> None:
        self.did.append("suspend")
        self.asleep()

    def alarm(self, when: int) -> None:
        self.did.append(f"alarm {when}")

    def platform_off(self) -> None:
        self.did.append("S4")


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tiny:
    made = Tiny(tmp_path)
    made.patch(monkeypatch)
    return made


@pytest.fixture
def firmware(monkeypatch: pytest.MonkeyPatch) -> Firmware:
    made = Firmware()
    monkeypatch.setattr(sleep, "suspend", made.suspend)
    monkeypatch.setattr(sleep, "set_alarm", made.alarm)
    monkeypatch.setattr(sleep, "platform_off", made.platform_off)
    monkeypatch.setattr(leave, "_PAUSE", 0)
    return made


def test_who_wakes_goes_straight_on_and_the_image_is_given_up_before(tiny: Tiny, firmware: Firmware) -> None:
    seen: list[object] = []
    firmware.asleep = lambda: seen.extend([tiny.states(), tiny.resumable(), tiny.report()])
    assert tiny.b(Mode.SAVE, after=After.HYBRID) is End.BACK
    assert seen == [[State.COMPLETE] * 2, True, None]
    assert tiny.states() == [State.ABANDONED] * 2 and not tiny.resumable() and not tiny.resumable(mend=True)
    report = tiny.report()
    assert report is not None and report.outcome is Outcome.WOKEN and report.image_bytes


def refused() -> None:
    raise OSError(16, "Device or resource busy")


def test_where_it_cannot_sleep_it_is_switched_off(tiny: Tiny, firmware: Firmware) -> None:
    firmware.asleep = refused
    assert tiny.b(Mode.SAVE, after=After.HYBRID) is End.OFF
    assert tiny.resumable()


def test_an_image_that_cannot_be_given_up_keeps_its_system_asleep(
    tiny: Tiny, firmware: Firmware, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unwritable(*_: object) -> None:
        raise OSError(5, "Input/output error")

    firmware.asleep = lambda: monkeypatch.setattr(os, "pwritev", unwritable)
    assert tiny.b(Mode.SAVE, after=After.HYBRID) is End.OFF
    assert tiny.resumable()


@pytest.mark.parametrize("state", [State.CLAIMED, State.DONE, State.ABANDONED])
def test_what_others_did_to_the_image_meanwhile_keeps_its_system_asleep(tiny: Tiny, firmware: Firmware, state: State) -> None:
    def elsewhere() -> None:
        with Store(tiny.image, writable=True) as store:
            there = headers.read(store)
            assert there is not None
            headers.advance(store, there, state, "by somebody else")

    firmware.asleep = elsewhere
    assert tiny.b(Mode.SAVE, after=After.HYBRID) is End.OFF
    assert tiny.states() == [state] * 2


def test_another_image_in_its_place_keeps_the_system_asleep(tiny: Tiny, firmware: Firmware) -> None:
    def replaced() -> None:
        with Store(tiny.image, writable=True) as store:
            headers.write(store, headers.Header("cd" * 16, State.COMPLETE, 0))

    firmware.asleep = replaced
    assert tiny.b(Mode.SAVE, after=After.HYBRID) is End.OFF
    assert tiny.states() == [State.COMPLETE] * 2


def test_a_second_header_that_takes_no_writes_does_not_keep_the_system_asleep(
    tiny: Tiny, firmware: Firmware, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, written = Store.write, list[int]()

    def once(store: Store, offset: int, data: bytes) -> None:
        if offset in headers.SLOTS:
            written.append(offset)
            if len(written) > 1:
                raise OSError(5, "Input/output error")
        write(store, offset, data)

    firmware.asleep = lambda: monkeypatch.setattr(Store, "write", once)
    assert tiny.b(Mode.SAVE, after=After.HYBRID) is End.BACK
    assert not tiny.resumable()
    header = tiny.header()
    assert header is not None and (header.state, header.reason) == (State.ABANDONED, WOKEN)


@pytest.mark.parametrize(
    ("after", "did", "command"),
    [
        (After.POWEROFF, [], REBOOT_POWER_OFF), (After.REBOOT, [], REBOOT_RESTART), (After.PLATFORM, ["S4"], REBOOT_POWER_OFF),
    ],
)  # fmt: skip
def test_the_machine_is_left_as_chosen(
    tiny: Tiny, firmware: Firmware, monkeypatch: pytest.MonkeyPatch, after: After, did: list[str], command: int
) -> None:
    commands: list[int] = []

    def reboot(given: int) -> None:
        commands.append(given)
        tiny.reboot(given)

    monkeypatch.setattr(leave, "reboot", reboot)
    assert tiny.b(Mode.SAVE, after=after) is End.OFF
    assert (firmware.did, commands) == (did, [command])
    assert REBOOT_KEXEC not in commands and tiny.resumable()


def test_the_alarm_is_set_before_and_taken_back_by_who_woke(tiny: Tiny, firmware: Firmware) -> None:
    assert tiny.b(Mode.SAVE, after=After.HYBRID, wake=1_800_000_000) is End.BACK
    assert firmware.did == ["alarm 1800000000", "suspend", "alarm 0"]
