"""Answers that outlive a kill."""

from __future__ import annotations

from pathlib import Path

from khib_tui.model import settings as choices
from khib_tui.model.settings import Settings
from khib_tui.plan import draft
from khib_tui.plan.outcome import welcome

ANSWERS = Settings(target="/dev/vdb1", countdown=5)


def test_answers_are_there_again_until_they_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "khib.toml"
    assert draft.kept(path) is None
    draft.keep(ANSWERS, path)
    assert draft.kept(path) == ANSWERS and not path.exists()
    draft.drop(path)
    draft.drop(path)
    assert draft.kept(path) is None


def test_answers_that_make_no_sense_are_none(tmp_path: Path) -> None:
    draft.path_for(tmp_path / "khib.toml").write_text("target = 3")
    assert draft.kept(tmp_path / "khib.toml") is None


def test_where_nothing_can_be_written_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    draft.keep(ANSWERS, tmp_path / "file/khib.toml")


def test_those_of_this_machine_lie_where_a_restart_ends_them() -> None:
    assert draft.path_for(choices.PATH) == Path("/run/khib/answers.toml")


def test_a_hibernation_greets_with_the_time_it_slept() -> None:
    assert welcome({"away_seconds": 25920.0}) == "Welcome back: asleep 7 h 12 min"
    assert welcome(None) == "This system is back"
