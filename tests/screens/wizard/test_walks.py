"""The pages of the wizard: what they show, what they refuse, what they give; keys, small screens, one colour."""

from __future__ import annotations

import ast
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
import urwid
from urwid.testing import render_runs, resolve_runs
from urwid.util import set_temporary_encoding

from khib_tui.decide import region
from khib_tui.decide.choice import decide, image_limit
from khib_tui.decide.target import candidates
from khib_tui.errors import CommandFailed, Exit
from khib_tui.handover.handover import Mode
from khib_tui.handover.report import Outcome, Report
from khib_tui.image.header import Header, State
from khib_tui.model.choices import After, CodecChoice
from khib_tui.model.identity import DeviceKey, TargetRef
from khib_tui.model.units import MIB, size
from khib_tui.plan import build
from khib_tui.plan import step as steps
from khib_tui.target import catalog
from khib_tui.target.catalog import Found
from screens.ui import theme
from screens.ui.page import Page
from screens.ui.window import Window
from screens.wizard import images
from screens.wizard.app import STEPS, Wizard
from screens.wizard.images import ImagesPage
from screens.wizard.result import ResultPage
from screens.wizard.run import RunPage
from tests.kit import ROOT
from tests.kit.screens_kit import DrivenScreen, at_cursor, facts, make, press, set_up, shown, until

CHECKS, KERNEL, MEMORY, TARGET, OPTIONS, REVIEW = range(6)
FACTS = {
    CHECKS: ["Checks", "Step 1 of 6", "[ ok ] running as root", "< Next", "< Retry", "< Back"],
    KERNEL: ["Kernel", "Step 2 of 6", "Automatic", "6.1.192-khib (running now)  /boot/vmlinuz-6.1.192-khib"],
    MEMORY: ["Step 3 of 6", "what the kernel needs", "0x1000000-0xbffffff", "memmap=exactmap", "needed, 850.0 MiB there"],
    TARGET: ["Step 4 of 6", "/dev/vda1", "4.0 GiB", "khib-system", "is mounted at /", "/dev/vdb1", "fit", "ext4 spare"],
    OPTIONS: ["Step 5 of 6", "auto: measured", "power off", "read the whole image back", "after 10 s"],
    REVIEW: ["Step 6 of 6", "Set up, once:", "1. keep kernel 6.1.192-khib", "< Set up", "< Hibernate now >"],
}


def at(tmp_path: Path, step: int, name: Any = "qemu-bios-1g", **given: Any) -> Wizard:
    wizard = make(tmp_path, name, **{"target": "/dev/vdb1", **given})
    wizard.go(step)
    return wizard


def test_a_new_machine_starts_with_the_checks_and_one_that_is_set_up_at_home(tmp_path: Path) -> None:
    wizard = make(tmp_path, target="/dev/vdb1")
    wizard.begin()
    assert "Step 1 of 6" in shown(wizard.window)
    set_up(tmp_path)
    wizard.begin()
    text = shown(wizard.window)
    assert "Hibernate now" in text and "Ready. Up to 846.9 MiB go to /dev/vdb1" in text


@pytest.mark.parametrize("step", range(6))
def test_a_page_shows_its_facts_on_80x24(tmp_path: Path, step: int) -> None:
    text = shown(at(tmp_path, step).window)
    assert [fact for fact in FACTS[step] if fact not in text] == []


@pytest.mark.filterwarnings("ignore::urwid.widget.WidgetWarning")
@pytest.mark.parametrize("step", range(6))
@pytest.mark.parametrize("room", [(40, 10), (20, 3), (1, 1)])
def test_no_page_crashes_on_any_size(tmp_path: Path, step: int, room: tuple[int, int]) -> None:
    wizard = make(tmp_path, "amd-laptop-ubuntu", size=room, target="/dev/nvme0n1p4")
    wizard.go(step)
    press(wizard.window, "tab", "down", "f1", "down", "esc", "tab", "f10", "esc")
    assert wizard.window.stack.depth == 0


@pytest.mark.parametrize("step", range(6))
def test_a_narrow_screen_still_leads_to_next(tmp_path: Path, step: int) -> None:
    wizard = make(tmp_path, size=(40, 10), target="/dev/vdb1")
    wizard.go(step)
    until(wizard.window, "Set up" if step == REVIEW else "Next")


@pytest.mark.parametrize("step", range(6))
def test_every_glyph_is_one_that_a_serial_terminal_has(tmp_path: Path, step: int) -> None:
    with set_temporary_encoding("ascii"):
        wizard = at(tmp_path, step, "amd-laptop-ubuntu", target="/dev/nvme0n1p4")
        text = shown(wizard.window) + press(wizard.window, "f1")
    assert text.isascii() and "?" not in text.replace("F1 or ?:", "")


@pytest.mark.parametrize("step", range(6))
def test_the_cursor_is_on_the_focus_wherever_tab_goes(tmp_path: Path, step: int) -> None:
    wizard = at(tmp_path, step)
    seen = []
    for _ in range(12):
        seen.append(at_cursor(wizard.window))
        press(wizard.window, "tab")
    assert any(text.startswith("Back") for text in seen), seen
    assert any(text.startswith(("Next", "Set up")) for text in seen), seen


@pytest.mark.parametrize("step", range(6))
def test_the_focus_is_seen_on_one_colour(tmp_path: Path, step: int) -> None:
    page = at(tmp_path, step).window.stack
    runs = resolve_runs(render_runs(page, (80, 24), focus=True), theme.PALETTE, colors=1)
    inside = [text for row in runs[1:-1] for spec, text in row if spec.standout]
    assert inside and "".join(inside).strip(), "nothing but header and footer stands out"


def test_every_palette_entry_says_what_it_is_on_one_colour() -> None:
    assert [entry for entry in theme.PALETTE if len(entry) != 4] == []
    assert {entry[0]: entry[3] for entry in theme.PALETTE}["focus"] == "standout"


@pytest.mark.parametrize(("term", "simple"), [("vt100", True), ("", True), ("linux", False), ("xterm-256color", False)])
def test_old_terminals_and_serial_lines_are_simple(term: str, simple: bool) -> None:
    assert theme.simple({"TERM": term}) is simple


@pytest.mark.parametrize("step", range(6))
def test_f1_opens_the_help_of_the_page_and_esc_closes_it(tmp_path: Path, step: int) -> None:
    wizard = at(tmp_path, step)
    before = shown(wizard.window)
    helped = press(wizard.window, "f1")
    page = wizard.window.page
    assert isinstance(page, Page) and "+ Help" in helped and page.help.split()[0] in helped
    assert "Esc close" in helped.splitlines()[-1]
    assert press(wizard.window, "esc") == before


UNCONFIRMED = {
    KERNEL: ["shift tab", "down", "enter"],
    MEMORY: ["shift tab", "shift tab", "enter", "down", "enter"],
    TARGET: ["tab", "/", "a"],
    OPTIONS: ["shift tab", "enter", "down", "enter"],
    REVIEW: ["up", "down"],
}


@pytest.mark.parametrize("step", UNCONFIRMED)
def test_esc_goes_back_with_settings_unchanged(tmp_path: Path, step: int) -> None:
    wizard = at(tmp_path, step)
    settings, before = wizard.settings, shown(wizard.window)
    assert press(wizard.window, *UNCONFIRMED[step]) != before or step == REVIEW
    assert f"Step {step} of 6" in press(wizard.window, "esc")
    assert wizard.settings is settings


def test_esc_on_the_first_page_asks_and_no_is_the_default(tmp_path: Path) -> None:
    wizard = at(tmp_path, CHECKS)
    assert "Leave khib?" in press(wizard.window, "esc")
    assert at_cursor(wizard.window).startswith("No")
    assert "Step 1 of 6" in press(wizard.window, "enter") and wizard.window.stack.depth == 0
    press(wizard.window, "f10", "right")
    with pytest.raises(urwid.ExitMainLoop):
        press(wizard.window, "enter")
    assert wizard.window.code == Exit.CANCELLED


def test_answers_are_kept_when_going_back_and_forth(tmp_path: Path) -> None:
    wizard = at(tmp_path, TARGET, target="")
    until(wizard.window, "( ) /dev/vdb1", "down")
    press(wizard.window, "enter")
    until(wizard.window, "Next")
    press(wizard.window, "enter", "esc")
    assert wizard.settings.target == "/dev/vdb1"
    assert "(*) /dev/vdb1" in shown(wizard.window)


def test_checks_start_at_next_if_all_is_well_and_at_the_first_blocker_if_not(tmp_path: Path) -> None:
    assert at_cursor(at(tmp_path, CHECKS).window).startswith("Next")
    wizard = at(tmp_path, CHECKS, "workstation-fedora-locked")
    assert at_cursor(wizard.window).startswith("[STOP] the kernel is locked down")


def test_next_is_refused_while_a_blocker_stands_until_retry_finds_it_solved(tmp_path: Path) -> None:
    wizard = at(tmp_path, CHECKS, "laptop-debian")
    until(wizard.window, "Next")
    text = press(wizard.window, "enter")
    assert "Step 1 of 6" in text and "has no CONFIG_KEXEC_JUMP" in text and "[HIB-E-KEXEC-JUMP]" in text
    wizard.reread = facts
    until(wizard.window, "Retry")
    assert "This machine can hibernate" in press(wizard.window, "enter")
    assert "Step 2 of 6" in press(wizard.window, "enter")


def with_second_kernel() -> Any:
    here = facts()
    other = msgspec.structs.replace(here.kernels[0], path="/boot/vmlinuz-5.0", release="5.0")
    unfit = msgspec.structs.replace(here.kernels[0], path="/boot/vmlinuz-4.0", release="4.0", relocatable=False)
    return msgspec.structs.replace(here, kernels=(here.kernels[0], other, unfit))


def test_a_kernel_can_be_chosen_and_an_unfit_one_says_why(tmp_path: Path) -> None:
    wizard = at(tmp_path, KERNEL, with_second_kernel())
    assert "it cannot run at another address (CONFIG_RELOCATABLE)" in shown(wizard.window)
    press(wizard.window, "shift tab")
    until(wizard.window, "4.0", "down")
    assert "4.0 cannot save" in press(wizard.window, "enter")
    until(wizard.window, " ) 5.0", "up")
    press(wizard.window, "enter")
    until(wizard.window, "Next")
    press(wizard.window, "enter")
    assert wizard.settings.kernel == "/boot/vmlinuz-5.0"


def test_the_automatic_kernel_leaves_the_settings_open(tmp_path: Path) -> None:
    wizard = at(tmp_path, KERNEL, with_second_kernel(), kernel="/boot/vmlinuz-5.0")
    assert "(X) 5.0" in shown(wizard.window)
    press(wizard.window, "shift tab")
    until(wizard.window, " ) Automatic", "up")
    press(wizard.window, "enter")
    until(wizard.window, "Next")
    press(wizard.window, "enter")
    assert wizard.settings.kernel == ""


def test_a_region_that_cannot_be_is_refused_in_the_engines_words(tmp_path: Path) -> None:
    wizard = at(tmp_path, MEMORY)
    settings = wizard.settings
    until(wizard.window, "what the kernel needs")
    text = press(wizard.window, "enter", "end", "enter")
    sentence = "more than half of this machine's"
    assert "752.0 MiB" in text and sentence in " ".join(text.split())
    until(wizard.window, "Next")
    assert "Step 3 of 6" in press(wizard.window, "enter") and wizard.settings is settings


def test_another_region_is_shown_and_taken(tmp_path: Path) -> None:
    wizard = at(tmp_path, MEMORY)
    until(wizard.window, "what the kernel needs")
    text = press(wizard.window, "enter", "down", "down", "down", "enter")
    chosen = region.choose(facts(), facts().kernels[0], 368 * MIB)
    assert size(chosen.own.total) in text
    until(wizard.window, "Next")
    press(wizard.window, "enter")
    assert wizard.settings.region == 368 * MIB


def test_too_little_free_memory_is_told(tmp_path: Path) -> None:
    poor = msgspec.structs.replace(facts(), mem_available=100 * MIB)
    text = " ".join(shown(at(tmp_path, MEMORY, poor).window).split())
    assert "Not now: loading the saver needs 192.6 MiB of free memory, 100.0 MiB is free" in text


@pytest.mark.parametrize("name", ["amd-laptop-ubuntu", "qemu-bios-1g", "qemu-uefi-5g"])
def test_every_place_is_listed_with_the_engines_reason(tmp_path: Path, name: str) -> None:
    here = facts(name)
    wizard = at(tmp_path, TARGET, name, target="")
    wizard.window.loop.screen.size = (200, 60)  # type: ignore[attr-defined]
    wizard.window.redraw()
    text = shown(wizard.window)
    limit = image_limit(region.choose(here, here.kernels[0]))
    for target, findings in candidates(here, limit):
        device = here.device(target.device)
        assert target.device in text and device is not None and device.serial in text
        assert [finding.what for finding in findings if finding.what not in text] == []


def test_an_unfit_place_cannot_be_chosen_and_says_why(tmp_path: Path) -> None:
    wizard = at(tmp_path, TARGET, target="")
    assert at_cursor(wizard.window).startswith("( ) /dev/vdb1"), "the first fit place is in focus"
    until(wizard.window, "(-) /dev/vda1", "up")
    text = press(wizard.window, "enter")
    assert "both contents would be destroyed" in text and "(*)" not in text
    until(wizard.window, "Next")
    assert "no place is chosen yet" in press(wizard.window, "enter") and wizard.settings.target == ""


def test_a_file_makes_a_filesystem_fit(tmp_path: Path) -> None:
    wizard = at(tmp_path, TARGET, target="")
    assert "(-) /dev/vdb2" in shown(wizard.window)
    press(wizard.window, "tab", *"/hib.khib")
    assert "( ) /dev/vdb2" in shown(wizard.window) and "(-) /dev/vdb1" in shown(wizard.window)
    press(wizard.window, "up")
    until(wizard.window, "( ) /dev/vdb2", "down")
    press(wizard.window, "enter")
    until(wizard.window, "Next")
    press(wizard.window, "enter")
    assert wizard.settings.target == "/dev/vdb2:/hib.khib"


def test_a_senseless_path_is_refused(tmp_path: Path) -> None:
    wizard = at(tmp_path, TARGET)
    press(wizard.window, "tab", *"/a b")
    until(wizard.window, "Next")
    text = press(wizard.window, "enter")
    assert "is no place for an image" in text and wizard.settings.target == "/dev/vdb1"


def test_a_place_that_no_longer_fits_the_file_is_refused(tmp_path: Path) -> None:
    wizard = at(tmp_path, TARGET)
    press(wizard.window, "tab", *"/hib.khib")
    until(wizard.window, "Next")
    text = press(wizard.window, "enter")
    assert "/dev/vdb1 holds no filesystem" in text and "[HIB-E-TARGET-FILESYSTEM]" in text
    assert "Step 4 of 6" in text and wizard.settings.target == "/dev/vdb1"


def test_help_sign_is_a_letter_in_a_field(tmp_path: Path) -> None:
    wizard = at(tmp_path, TARGET)
    assert "/a?" in press(wizard.window, "tab", *"/a?") and wizard.window.stack.depth == 0


def test_options_give_new_settings(tmp_path: Path) -> None:
    wizard = at(tmp_path, OPTIONS)
    before = wizard.settings
    until(wizard.window, "auto")
    press(wizard.window, "enter", "down", "down", "enter", "tab", "enter", "down", "enter", "tab", " ")
    until(wizard.window, "Next")
    press(wizard.window, "enter")
    after = wizard.settings
    assert (after.codec, after.after, after.verify) == (CodecChoice.ZSTD, After.REBOOT, True)
    assert (before.codec, before.after, before.verify) == (CodecChoice.AUTO, After.POWEROFF, False)
    assert after.target == before.target


def test_the_review_shows_the_steps_word_for_word_and_starts_at_set_up(tmp_path: Path) -> None:
    wizard = at(tmp_path, REVIEW)
    wizard.window.loop.screen.size = (80, 60)  # type: ignore[attr-defined]
    wizard.window.redraw()
    text = "".join(shown(wizard.window).split())
    choice = decide(facts(), wizard.settings)
    for step in build.describe([*build.setup(choice, wizard.path), *build.journey(choice, Mode.SAVE)]):
        assert "".join(step.text.split()) in text
    assert at_cursor(wizard.window).startswith("Set up")


def test_a_review_that_is_refused_says_why_and_offers_no_journey(tmp_path: Path) -> None:
    wizard = at(tmp_path, REVIEW, target="/dev/vda1")
    text = press(wizard.window, "enter")
    assert "/dev/vda1 is mounted at /" in text and "Hibernate now" not in text and "Step 6 of 6" in text


def test_hibernating_asks_first_and_no_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr(Wizard, "run", lambda _, task, opened: started.append(task))
    set_up(tmp_path)
    wizard = make(tmp_path, target="/dev/vdb1")
    wizard.begin()
    until(wizard.window, "Hibernate now", "down")
    text = " ".join(press(wizard.window, "enter").split())
    assert "save up to 846.9 MiB to /dev/vdb1" in text and at_cursor(wizard.window).startswith("No")
    press(wizard.window, "enter")
    assert not started
    press(wizard.window, "enter", "right", "enter")
    assert [type(step).__name__ for step in started[0].actions] == [
        type(step).__name__ for step in build.journey(decide(facts(), wizard.settings), Mode.SAVE)
    ]


def test_the_first_hibernation_sets_up_and_keeps_the_choices_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr(Wizard, "run", lambda _, task, opened: started.append(task))
    wizard = at(tmp_path, REVIEW)
    until(wizard.window, "Hibernate now")
    press(wizard.window, "enter", "right", "enter")
    names = [type(step).__name__ for step in started[0].actions]
    assert names == [
        "InstallSaver", "WriteBootEntry", "KeepSettings", "LoadSaver", "WriteBack", "Jump", "Unload", "CloseImage",
    ]  # fmt: skip


def test_a_refusal_before_a_run_is_shown_in_a_box(tmp_path: Path) -> None:
    wizard = at(tmp_path, REVIEW)
    wizard.reread = lambda: msgspec.structs.replace(facts(), mem_available=10 * MIB)
    until(wizard.window, "Hibernate now")
    text = press(wizard.window, "enter")
    assert "That cannot be done" in text and "[HIB-E-MEMORY]" in " ".join(text.split())


@dataclass(frozen=True)
class Fake:
    """A step that only takes a moment, or fails."""

    text: str
    error: Exception | None = None
    report: Report | None = None

    def describe(self) -> str:
        return self.text

    def apply(self, context: steps.Context) -> None:
        time.sleep(0.02)
        if self.error:
            raise self.error
        context.report = self.report or context.report


def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, actions: list[Fake], mode: Mode | None = Mode.SAVE) -> Wizard:
    """Run steps through the real loop, up to the result page."""
    monkeypatch.setattr(build, "journey", lambda *_: actions)
    monkeypatch.setattr(build, "setup", lambda *_: actions)
    set_up(tmp_path)
    wizard = make(tmp_path, target="/dev/vdb1")
    arrived = wizard.arrived

    def end(*given: Any) -> None:
        arrived(*given)
        wizard.window.loop.draw_screen()
        raise urwid.ExitMainLoop

    monkeypatch.setattr(wizard, "arrived", end)
    wizard.home()
    wizard.window.loop.set_alarm_in(0, lambda *_: wizard.travel(mode) if mode is not Mode.SAVE else hibernate(wizard))
    wizard.window.run()
    return wizard


def hibernate(wizard: Wizard) -> None:
    from khib_tui.plan.task import Task

    wizard.run(Task(decide(wizard.machine, wizard.settings), Mode.SAVE, wizard.path))


RESUMED = Report(Outcome.RESUMED, "back", image_bytes=3 << 30, memory_bytes=9 << 30, save_seconds=21, restore_seconds=17)


def test_a_run_marks_its_steps_and_ends_with_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wizard = play(tmp_path, monkeypatch, [Fake("load it"), Fake("jump", report=RESUMED), Fake("unload it")])
    screen = wizard.window.loop.screen
    assert isinstance(screen, DrivenScreen)
    under_way = [text for text in screen.seen if "[done] load it" in text and "[ .. ] jump" in text]
    assert under_way and "[    ] unload it" in under_way[0] and "Hibernating" in under_way[0]
    assert isinstance(wizard.window.page, ResultPage)
    assert "resumed: yes  image 3.0 GiB of 9.0 GiB" in screen.shown and wizard.window.code == 0
    assert screen.clears >= 3, "after each step the screen must be drawn anew: another kernel may have used it"


def test_a_failed_step_is_marked_and_its_hint_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error = CommandFailed("the kernel could not jump", hint="close what uses the GPU", ident="HIB-E-JUMP")
    wizard = play(tmp_path, monkeypatch, [Fake("load it"), Fake("jump", error)])
    screen = wizard.window.loop.screen
    assert isinstance(screen, DrivenScreen)
    assert any("[FAIL] jump" in text for text in screen.seen)
    text = screen.shown
    assert "the kernel could not jump [HIB-E-JUMP]" in text and "-> close what uses the GPU" in text
    assert "< Try again >" in text and wizard.window.code == Exit.UNCHANGED


def test_a_cancelled_run_says_that_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = Report(Outcome.CANCELLED, "you stopped it")
    wizard = play(tmp_path, monkeypatch, [Fake("jump", report=report)])
    text = shown(wizard.window)
    assert "cancelled: you stopped it" in text and "Nothing is lost" in text and wizard.window.code == Exit.CANCELLED


def test_setting_up_ends_with_the_way_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wizard = play(tmp_path, monkeypatch, [Fake("keep it")], mode=None)
    text = shown(wizard.window)
    assert "Rehearse before you rely on it" in text and "< Rehearse" in text


def test_a_defect_in_a_step_is_told_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wizard = play(tmp_path, monkeypatch, [Fake("break", ZeroDivisionError("oh"))])
    assert "a defect of khib: ZeroDivisionError: oh" in shown(wizard.window) and wizard.window.code == Exit.ERROR


def test_a_run_cannot_be_left_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from khib_tui.plan.task import Task

    monkeypatch.setattr(build, "journey", lambda *_: [Fake("jump")])
    wizard = make(tmp_path, target="/dev/vdb1")
    wizard.window.show(RunPage(wizard, Task(decide(wizard.machine, wizard.settings), Mode.SAVE, wizard.path)))
    for key in ("esc", "f10", "ctrl c"):
        assert "cannot be stopped here" in press(wizard.window, key)
    assert isinstance(wizard.window.page, RunPage)


def found(state: State = State.COMPLETE, host: str = "laptop") -> Found:
    header = Header("abc", state, 3, 1.7e9, host, "6.1", 16 << 30, 2 << 30)
    return Found(TargetRef(DeviceKey("d", 0, 1, "s")), "/dev/vdb1", header)


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Window, list[Found]]:
    """Give the page of images with one image, and the list of those that were given up."""
    gone: list[Found] = []
    monkeypatch.setattr(catalog, "images", lambda *_: [found()])
    monkeypatch.setattr(images, "give_up", lambda _, item: gone.append(item))
    wizard = make(tmp_path, target="/dev/vdb1")
    page = ImagesPage(wizard)
    wizard.window.show(page)
    page.look()
    return wizard.window, gone


def test_images_are_listed(pictures: tuple[Window, list[Found]]) -> None:
    text = shown(pictures[0])
    assert "/dev/vdb1" in text and "complete" in text and "laptop" in text and "2.0 GiB" in text


def test_giving_an_image_up_needs_the_word(pictures: tuple[Window, list[Found]]) -> None:
    window, gone = pictures
    until(window, "Give up")
    assert "Type yes" in press(window, "enter")
    press(window, "enter", "enter")
    assert window.stack.depth == 0 and not gone, "Enter twice must not discard"
    text = press(window, "enter", *"no", "enter", "right", "enter")
    assert "That was not 'yes'" in text and not gone
    press(window, "esc", "enter", *"yes", "enter", "right", "enter")
    assert [item.where for item in gone] == ["/dev/vdb1"] and window.stack.depth == 0


def test_an_image_that_was_used_cannot_be_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "images", lambda *_: [found(State.DONE)])
    wizard = make(tmp_path)
    page = ImagesPage(wizard)
    wizard.window.show(page)
    page.look()
    until(wizard.window, "Give up")
    assert "done already" in press(wizard.window, "enter") and wizard.window.stack.depth == 0


def test_no_image_shows_no_table_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "images", lambda *_: [])
    wizard = make(tmp_path)
    page = ImagesPage(wizard)
    wizard.window.show(page)
    page.look()
    assert "There is no image on any disk." in shown(wizard.window)
    for label in ("Info", "Give up"):
        until(wizard.window, label)
        press(wizard.window, "enter")


def test_what_an_image_says_about_itself_cannot_steer_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "images", lambda *_: [found(host="a\x1b[2Jb\u202e")])
    wizard = make(tmp_path)
    page = ImagesPage(wizard)
    wizard.window.show(page)
    page.look()
    assert "\x1b" not in shown(wizard.window) and "\u202e" not in shown(wizard.window)


def sources() -> list[Path]:
    return [path for path in sorted((ROOT / "screens").rglob("*.py")) if path.name != "__init__.py"]


def test_screens_neither_run_programs_nor_write_files() -> None:
    for path in sources():
        nodes = list(ast.walk(ast.parse(path.read_text())))
        names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        names |= {node.id for node in nodes if isinstance(node, ast.Name)}
        modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        modules |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
        assert not modules & {"subprocess", "shutil", "khib_tui.runner"}, path
        assert not names & {"write_text", "write_bytes", "unlink", "mkdir", "rename", "system", "popen"}, path
        assert len(path.read_text().splitlines()) <= 300, path


def test_the_wizard_has_the_steps_it_counts() -> None:
    assert len(STEPS) == 6
