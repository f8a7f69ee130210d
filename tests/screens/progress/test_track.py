"""How far a run is, from its events."""

from __future__ import annotations

from khib_tui.events.stages import in_restorer, in_saver
from khib_tui.events.types import Finding, Message, Progress, Severity, Stage, StageName, Status, Step
from khib_tui.model.units import MIB
from screens.progress.track import Track

GIB = 1 << 30


def test_stages_are_listed_in_the_order_in_which_they_happen() -> None:
    track = Track()
    track.take(Stage(StageName.SAVE, Status.STARTED, "to /dev/vdb1"))
    track.take(Progress(StageName.SCAN, 4 * GIB, 8 * GIB, 2.0))
    assert [str(line) for line in track.lines] == [
        "[ 50%] saver: look at the memory",
        "[ .. ] saver: write the image (to /dev/vdb1)",
    ]
    track.take(Progress(StageName.SAVE, 1, 8 * GIB, 2.0))
    assert [line.mark for line in track.lines] == ["[done]", "[  0%]"]
    track.take(Stage(StageName.SAVE, Status.DONE, "2.0 GiB", 61.0))
    track.take(Progress(StageName.VERIFY, 8 * GIB, 8 * GIB, 2.0))
    assert [line.mark for line in track.lines] == ["[done]"] * 3
    assert "2.0 GiB, 1 min 1 s" in str(track.lines[1])


def test_hundred_percent_is_not_shown_before_the_end() -> None:
    track = Track()
    track.take(Progress(StageName.SAVE, 999_999, 1_000_000, 2.0))
    assert track.lines[0].mark == "[ 99%]"


def test_numbers_say_amount_rate_and_both_times_within_a_line() -> None:
    track = Track(clock=iter([0.0, 75.0]).__next__)
    track.take(Progress(StageName.SAVE, 3 * GIB, 12 * GIB, 3.0, rate=GIB, eta=9.0))
    text = track.numbers()
    assert text == "3.0 GiB of 12.0 GiB   1.0 GiB/s   9.0 s left   elapsed 1 min 15 s" and len(text) <= 78


def test_steps_are_known_before_and_marked_as_they_happen() -> None:
    track = Track([Step(1, 2, "load", Status.PLANNED), Step(2, 2, "jump", Status.PLANNED)])
    assert [str(line) for line in track.lines] == ["[    ] load", "[    ] jump"] and track.current == 0
    track.take(Step(1, 2, "load", Status.DONE))
    track.take(Step(2, 2, "jump", Status.STARTED))
    assert [line.mark for line in track.lines] == ["[done]", "[ .. ]"] and track.current == 1
    track.take(Step(2, 2, "jump", Status.FAILED))
    assert track.lines[1].mark == "[FAIL]"


def test_only_the_last_messages_are_kept_and_bad_findings_are_among_them() -> None:
    track = Track()
    for number in range(9):
        track.take(Message(f"m{number}"))
    track.take(Finding("X", Severity.BLOCKER, "it differs"))
    track.take(Finding("X", Severity.OK, "fine"))
    assert list(track.messages) == ["m6", "m7", "m8", "[STOP] it differs"]


def test_the_rates_are_drawn_beside_the_fastest_and_begin_anew_with_a_stage() -> None:
    track = Track()
    assert track.graph() == ""
    for second, rate in enumerate((0.0, 4.0 * MIB, 8.0 * MIB, 8.0 * MIB)):
        track.take(Progress(StageName.SAVE, second, 100, float(second), rate=rate))
    assert track.graph() == "rate _=## most 8.0 MiB/s"
    track.take(Progress(StageName.VERIFY, 1, 100, 1.0, rate=2.0 * MIB))
    assert track.graph() == "rate # most 2.0 MiB/s"
    for second in range(200):
        track.take(Progress(StageName.VERIFY, second, 1000, float(second), rate=1.0 * MIB))
    assert len(track.graph()) < 78


def test_all_three_kernels_have_one_list() -> None:
    saver, restorer = Track(), Track()
    saver.take(in_saver(saves=True, verifies=False, returns=False))
    restorer.take(in_restorer())
    assert [line.text for line in saver.lines] == [line.text for line in restorer.lines]
    assert [line.mark for line in saver.lines] == ["[done]"] + ["[    ]"] * 5 and saver.current == 0
    assert [line.mark for line in restorer.lines] == ["[done]"] * 4 + ["[    ]"] * 2
    saver.take(Stage(StageName.SAVE, Status.STARTED))
    assert saver.lines[saver.current].text == "saver: write the image"


def test_in_this_system_the_stages_of_the_others_stand_below_the_jump_and_are_done_when_it_is_back() -> None:
    steps = [Step(number, 3, text, Status.PLANNED) for number, text in enumerate(("load", "jump", "unload"), 1)]
    track = Track(steps, away=(StageName.SCAN, StageName.SAVE), jump=2)
    texts = ["load", "jump", "  saver: look at the memory", "  saver: write the image", "unload"]
    assert [line.text for line in track.lines] == texts
    track.take(Step(2, 3, "jump", Status.STARTED))
    assert track.current == 1 and track.lines[2].mark == "[    ]"
    track.take(Step(2, 3, "jump", Status.DONE))
    assert [line.mark for line in track.lines] == ["[    ]", *["[done]"] * 3, "[    ]"]
    failed = Track(steps, away=(StageName.SCAN,), jump=2)
    failed.take(Step(2, 3, "jump", Status.FAILED))
    assert failed.lines[2].mark == "[    ]", "what did not happen is not done"


def test_the_image_and_what_is_saved_of_the_memory_are_told_while_it_is_written() -> None:
    track = Track()
    assert track.compression() == ""
    track.take(Progress(StageName.SAVE, 4 * GIB, 8 * GIB, 2.0, image=GIB))
    assert track.compression() == "image 1.0 GiB, 25 % of the memory in it"
    track.take(Progress(StageName.VERIFY, 4 * GIB, 8 * GIB, 2.0))
    assert track.compression() == ""


def test_the_log_of_a_run_has_every_line_but_progress_with_its_time() -> None:
    track = Track(clock=iter([0.0, 65.0, 70.0, 80.0, 90.0]).__next__)
    for event in (Message("one"), Progress(StageName.SAVE, 1, 9, 2.0), Stage(StageName.SAVE, Status.DONE, "2.0 GiB", 61.0)):
        track.take(event)
    assert list(track.log) == [" 1 min 5 s  one", "1 min 10 s  save: done in 1 min 1 s, 2.0 GiB"]
