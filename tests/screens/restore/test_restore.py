"""The screen of C: countdown, choice, refusal. Nothing resumes by itself that should not."""

from __future__ import annotations

import re
from typing import Any

import pytest

from khib_tui.errors import CommandFailed, Exit, ImageError, Refused
from khib_tui.events.types import Failure
from khib_tui.image.header import DAMAGED, State
from khib_tui.jump import ownram
from khib_tui.linux.syscalls import REBOOT_POWER_OFF, REBOOT_RESTART
from khib_tui.restorer import manage
from khib_tui.restorer import run as kernel_c
from khib_tui.target import catalog
from screens.restore import found as found_page
from screens.restore import run as restore
from tests.kit.restore_kit import SHELL, Cycle, image


@pytest.fixture
def one(monkeypatch: pytest.MonkeyPatch) -> Cycle:
    return Cycle(monkeypatch, ["/dev/vdb1"])


def test_the_countdown_resumes_by_itself_and_shows_the_image(one: Cycle) -> None:
    screen = one.run(3, SHELL)
    first = next(text for text in screen.seen if "Resuming in" in text)
    for fact in ("/dev/vdb1", "laptop", "2.0 GiB", "16.0 GiB"):
        assert fact in first
    assert re.search("Resuming in [123] s - Enter: now, Esc: stop the countdown", first)  # the first may come late
    assert one.resumed == ["/dev/vdb1"]


def test_no_countdown_resumes_at_once(one: Cycle) -> None:
    screen = one.run(0, SHELL)
    assert one.resumed == ["/dev/vdb1"] and not any("Resume now" in text for text in screen.seen)


def test_enter_resumes_now(one: Cycle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(found_page, "TICK", 60.0)
    one.run(10, ("Resuming in", ["enter"]), SHELL)
    assert one.resumed == ["/dev/vdb1"]


@pytest.mark.parametrize("key", ["esc", "tab", "x", "f1"])
def test_any_other_key_stops_the_countdown(one: Cycle, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setattr(found_page, "TICK", 0.05)
    close = [("+ Help", ["esc"])] if key == "f1" else []
    one.run(2, ("Resuming in", [key]), *close, ("The countdown is stopped", ["f3"]), ("Esc back", ["esc"]), SHELL)
    assert one.resumed == [] and one.code == Exit.CANCELLED


def test_a_negative_countdown_waits_for_a_key(one: Cycle) -> None:
    screen = one.run(-1, ("Resume now", ["enter"]), SHELL)
    assert one.resumed == ["/dev/vdb1"] and not any("Resuming in" in text for text in screen.seen)


def test_of_several_images_none_resumes_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    both = Cycle(monkeypatch, ["/dev/vdb1", "/dev/vdc1"])
    screen = both.run(0, ("There are several sessions", ["down", "enter"]), SHELL)
    assert both.resumed == ["/dev/vdc1"] and not any("Resuming in" in text for text in screen.seen)


def test_the_image_that_was_asked_for_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    both = Cycle(monkeypatch, ["/dev/vdb1", "/dev/vdc1"])
    both.run(0, SHELL, wanted="/dev/vdc1")
    assert both.resumed == ["/dev/vdc1"]


def test_a_refusal_says_why_that_the_image_is_kept_and_what_to_do(one: Cycle) -> None:
    screen = one.run(0, SHELL)
    text = " ".join(screen.shown.split())
    assert "the disks have changed [HIB-E-DISKS]" in text and "-> boot normally" in text
    assert "The image on /dev/vdb1 is kept and nothing was changed" in text
    assert one.code == Exit.REFUSED
    assert one.events == [Failure("HIB-E-DISKS", "the disks have changed", "boot normally", int(Exit.REFUSED))]


def test_a_damaged_header_is_repaired_only_when_asked(one: Cycle, monkeypatch: pytest.MonkeyPatch) -> None:
    repaired: list[str] = []
    monkeypatch.setattr(kernel_c, "repair", lambda devices, found: repaired.append(found.where))
    assert "Repair" not in one.run(0, SHELL).shown
    one.error = ImageError("the image's header is damaged behind byte 0", ident=DAMAGED)
    one.run(0, ("< Repair and retry", ["enter"]), ("Resume now", ["enter"]), ("< Repair", ["right", "right", "enter"]))
    assert repaired == ["/dev/vdb1"] and len(one.resumed) == 3


def test_an_image_that_was_claimed_meanwhile_is_not_called_kept(one: Cycle, monkeypatch: pytest.MonkeyPatch) -> None:
    found = one.images[0]

    def work(*_: Any) -> None:
        one.images = [image(found.where, State.CLAIMED)]
        raise one.error

    monkeypatch.setattr(kernel_c, "work", work)
    text = " ".join(one.run(0, SHELL).shown.split())
    assert "is now claimed" in text and "is kept" not in text


def test_retry_never_counts_down_again(one: Cycle) -> None:
    screen = one.run(0, ("< Retry", ["enter"]), ("Resume now", ["enter"]), SHELL)
    assert one.resumed == ["/dev/vdb1", "/dev/vdb1"] and not any("Resuming in" in text for text in screen.seen)


def test_no_image_is_told_with_all_three_ways_on(monkeypatch: pytest.MonkeyPatch) -> None:
    none = Cycle(monkeypatch, [])
    screen = none.run(0, SHELL)
    text = screen.shown
    assert "there is no image" in text and "Nothing was changed on any disk." in text and none.code == Exit.NO_IMAGE
    assert "< Retry" in text and "< Shell" in text and "< Boot normally >" in text and "< Power off" in text


def test_errors_of_the_medium_and_defects_are_told_too(one: Cycle) -> None:
    one.error = OSError(5, "Input/output error", "/dev/vdb1")
    assert "/dev/vdb1: Input/output error [HIB-E-IO]" in one.run(0, SHELL).shown
    one.error = ZeroDivisionError("oh")
    assert "a defect of khib: ZeroDivisionError: oh" in one.run(0, SHELL).shown


def test_restart_restarts_and_comes_back_if_that_fails(one: Cycle, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def reboot(command: int) -> None:
        asked.append(command)
        raise CommandFailed("the kernel could not jump: Operation not permitted", ident="HIB-E-JUMP")

    monkeypatch.setattr(restore, "reboot", reboot)
    yes = ("< No", ["right", "enter"])
    one.run(
        0, ("< Retry", ["right", "right", "right", "enter"]), yes, ("Operation not permitted", ["down", "enter"]), yes,
        ("Operation not permitted", ["right", "enter"]),
    )  # fmt: skip
    assert asked == [REBOOT_RESTART, REBOOT_POWER_OFF]


def test_neither_restart_nor_power_off_happens_by_a_slip(one: Cycle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore, "reboot", lambda _: pytest.fail("nobody asked for it"))
    screen = one.run(0, ("< Retry", ["right", "right", "right", "enter"]), ("A session waits", ["enter"]),
                     ("Enter choose  F1 help", ["left", "left", "enter"]))  # fmt: skip
    assert any("that session cannot be resumed any more" in " ".join(text.replace("|", " ").split()) for text in screen.seen)


def test_the_menu_lists_all_images_and_verifies_discards_and_resumes(monkeypatch: pytest.MonkeyPatch) -> None:
    both = Cycle(monkeypatch, ["/dev/vdb1", "/dev/vdc1"])
    done: list[str] = []
    monkeypatch.setattr(manage, "discard", lambda devices, found: done.append(f"discard {found.where}"))
    monkeypatch.setattr(manage, "info", lambda devices, found: {"host": found.header.host})
    monkeypatch.setattr(manage, "verify", lambda devices, found, sink, stop: "All is sound.")
    both.run(
        -1, ("several sessions", ["esc"]), ("< Retry", ["right", "right", "enter"]),
        ("khib: images", ["enter"]), ("host: laptop", ["esc"]),
        ("< Discard", ["down", "tab", "right", "right", "right", "enter"]), ("Type yes", [*"yes", "enter", "right", "enter"]),
        ("was discarded", ["left", "enter"]), ("All is sound", ["down", "tab", "enter"]),
        ("Resume now", ["enter"]), SHELL,
    )  # fmt: skip
    assert done == ["discard /dev/vdc1"] and both.resumed == ["/dev/vdc1"]


def test_a_search_can_be_stopped(one: Cycle, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    release = threading.Event()

    def find(*_: Any) -> Any:
        release.wait(5)
        raise ImageError("too late")

    monkeypatch.setattr(catalog, "find", find)
    one.run(0, ("Looking for the image...", ["esc"]), SHELL)
    release.set()
    assert one.code == Exit.CANCELLED and one.resumed == []


def test_this_kernel_s_own_memory_is_looked_at_before_any_image(one: Cycle, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise Refused("this kernel took 1.0 GiB of memory", ident="HIB-E-REGION-RAM")

    monkeypatch.setattr(ownram, "refuse_beyond_words", refuse)
    monkeypatch.setattr(catalog, "find", lambda *_: 1 / 0)
    assert "took 1.0 GiB of memory [HIB-E-REGION-RAM]" in one.run(0, SHELL).shown


def test_what_was_done_is_shown_by_f8_on_the_page_that_refuses(one: Cycle) -> None:
    one.error = OSError(5, "Input/output error", "/dev/vdb1")
    screen = one.run(0, ("F8 shows what was done", ["f8"]), ("since the start of this kernel", ["esc"]), SHELL)
    assert any("error: /dev/vdb1: Input/output error [HIB-E-IO]" in text for text in screen.seen)
