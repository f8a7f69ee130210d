"""What is kept of a run: the list of journeys, and a log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from khib_tui.decide.choice import Choice
from khib_tui.errors import Cancelled, CommandFailed
from khib_tui.events.types import Event, Message, Result
from khib_tui.handover.handover import Mode
from khib_tui.handover.report import Outcome, Report
from khib_tui.model import settings
from khib_tui.model.journey import End, Journey, Rung
from khib_tui.plan import build, journal, log
from khib_tui.plan.forget import ForgetJourneys
from khib_tui.plan.journal import Journal
from khib_tui.plan.step import Action, Context
from khib_tui.plan.task import Task, ending, run_task
from tests.kit.saved import nothing

RESUMED = Report(
    Outcome.RESUMED, "back", image_bytes=3 << 30, memory_bytes=9 << 30, save_seconds=21, restore_seconds=17, codec="zstd",
)  # fmt: skip


@dataclass
class Away:
    """A step that was away, and comes back with a report, or fails."""

    journal: Journal
    report: Report | None = None
    error: BaseException | None = None
    during: tuple[Journey, ...] = ()

    def describe(self) -> str:
        return "go away"

    def apply(self, context: Context) -> None:
        self.during = tuple(self.journal.all())
        context.sink(Message("on the way\x1b[2J"))
        context.report, context.away_seconds = self.report, 600.0
        if self.error:
            raise self.error


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, choice_of: Callable[..., Choice]) -> Callable[..., Away]:
    """Run a journey of one step, and give the step."""

    def run(mode: Mode = Mode.SAVE, report: Report | None = None, error: BaseException | None = None) -> Away:
        step = Away(Journal.beside(tmp_path / "khib.toml"), report, error)
        actions: list[Action] = [step]
        monkeypatch.setattr(build, "journey", lambda *_, **__: actions)
        run_task(Task(choice_of(), mode, tmp_path / "khib.toml"), nothing)
        return step

    return run


def test_a_hibernation_is_kept_with_what_it_took(tmp_path: Path, go: Callable[..., Away]) -> None:
    step = go(report=RESUMED)
    assert [item.end for item in step.during] == [End.AWAY], "it must be there before, lest a power cut goes unnoticed"
    (kept,) = Journal.beside(tmp_path / "khib.toml").all()
    assert (kept.rung, kept.end, kept.codec, kept.target) == (Rung.TRIP, End.WELL, "zstd", "/dev/vdb1")
    assert (kept.image_bytes, kept.away_seconds, kept.saver) == (3 << 30, 600.0, "6.1.0-test") and kept.started > 1e9
    assert kept.rate == pytest.approx((3 << 30) / 21) and kept.boot_id


@pytest.mark.parametrize(
    ("error", "end", "text"),
    [
        (CommandFailed("no way", ident="HIB-E-X"), End.FAILED, "no way"),
        (Cancelled("you stopped it"), End.CANCELLED, "stopped"),
        (KeyboardInterrupt(), End.CANCELLED, ""), (ZeroDivisionError("oh"), End.FAILED, "a defect of khib"),
    ],
)  # fmt: skip
def test_what_ends_it_is_kept_too(tmp_path: Path, go: Callable[..., Away], error: BaseException, end: End, text: str) -> None:
    with pytest.raises(type(error)):
        go(Mode.REHEARSE, error=error)
    (kept,) = Journal.beside(tmp_path / "khib.toml").all()
    assert (kept.rung, kept.end) == (Rung.JUMP, end) and text in kept.text
    assert text in "\n".join(log.read(log.listed(tmp_path / "khib.state")[0]))


def test_a_report_of_failure_is_a_journey_that_failed(tmp_path: Path, go: Callable[..., Away]) -> None:
    with pytest.raises(CommandFailed):
        go(report=Report(Outcome.FAILED, "the place is full", ident="HIB-E-TARGET-FULL"))
    (kept,) = Journal.beside(tmp_path / "khib.toml").all()
    assert (kept.end, kept.ident, kept.away_seconds) == (End.FAILED, "HIB-E-TARGET-FULL", 600.0)


def test_each_run_has_a_log_of_its_own_that_steers_no_terminal(tmp_path: Path, go: Callable[..., Away]) -> None:
    go(report=RESUMED)
    (path,) = log.listed(tmp_path / "khib.state")
    lines = log.read(path)
    assert path.name.endswith("-trip.log") and path.stat().st_mode & 0o777 == 0o600
    assert [line.split(" ", 2)[2] for line in lines] == [
        "[1/1] go away", "on the way\\x1b[2J",
        "resumed: yes  image 3.0 GiB of 9.0 GiB, saved in 21 s, restored in 17 s, 10 min 0 s away",
    ]  # fmt: skip


def test_only_the_last_logs_are_kept_and_none_grows_without_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(log.MOST + 5):
        monkeypatch.setattr("time.strftime", lambda *_, number=number: f"2026-11-25T0000{number:02}")
        with log.kept(tmp_path, "x") as written:
            written(Message("a"))
    assert [path.name for path in log.listed(tmp_path)][:: log.MOST - 1] == [
        f"2026-11-25T0000{number:02}-x.log" for number in (log.MOST + 4, 5)
    ]
    with log.kept(tmp_path, "y") as written:
        for _ in range(40):
            written(Message("x" * 20_000))
    assert log.listed(tmp_path)[0].stat().st_size <= log.MOST_BYTES


def test_where_nothing_can_be_written_the_run_goes_on(tmp_path: Path, go: Callable[..., Away]) -> None:
    (tmp_path / "khib.state").write_text("in the way")
    go(report=RESUMED)
    assert (tmp_path / "khib.state").read_text() == "in the way" and log.listed(tmp_path / "khib.state") == []


def test_a_full_disk_under_a_log_ends_only_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, go: Callable[..., Away]
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("khib_tui.plan.log.os.write", full)
    assert go(report=RESUMED).report is RESUMED


def test_a_list_that_is_no_list_is_an_empty_one_and_only_the_last_are_kept(tmp_path: Path) -> None:
    kept = Journal(tmp_path)
    kept.path.write_text("nonsense")
    assert kept.all() == []
    for number in range(journal.MOST + 3):
        kept.put(Journey(Rung.ECHO, float(number)))
    assert [item.started for item in kept.all()] == [float(number) for number in range(3, journal.MOST + 3)]


def test_whether_the_screen_was_seen_is_noted_of_the_last_of_its_kind(tmp_path: Path) -> None:
    kept = Journal(tmp_path)
    for journey in (Journey(Rung.JUMP, 1.0), Journey(Rung.JUMP, 2.0), Journey(Rung.ECHO, 3.0)):
        kept.put(journey)
    kept.saw(Rung.JUMP, True)
    kept.saw(Rung.TRIP, True)
    assert [item.seen for item in kept.all()] == [None, True, None]


def test_the_choices_of_the_system_have_their_journal_in_var() -> None:
    assert journal.folder_for(settings.PATH) == Path("/var/lib/khib")


def test_forgetting_leaves_nothing_but_what_is_not_ours(tmp_path: Path, go: Callable[..., Away]) -> None:
    go(report=RESUMED)
    folder = tmp_path / "khib.state"
    step = ForgetJourneys(folder)
    assert str(folder) in step.describe() and len(step.there()) == 2
    (folder / "mine").touch()
    step.apply(Context(nothing))
    assert [path.name for path in folder.iterdir()] == ["mine"] and not step.there()
    (folder / "mine").unlink()
    go(report=RESUMED)
    step.apply(Context(nothing))
    assert not folder.exists()


def test_a_set_up_has_a_log_and_is_no_journey(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, choice_of: Callable[..., Choice]
) -> None:
    seen: list[Event] = []
    monkeypatch.setattr(build, "setup", lambda *_: [])
    ended = ending(Task(choice_of(), None, tmp_path / "khib.toml"), seen.append)
    assert ended.title == "Ready" and isinstance(seen[-1], Result)
    assert Journal.beside(tmp_path / "khib.toml").all() == []
    assert log.listed(tmp_path / "khib.state")[0].name.endswith("-setup.log")
