"""The set-up in lines: the same places and refusals as on the screens, and nothing before a typed yes."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui import cli
from khib_tui.commands import lines
from khib_tui.errors import Exit
from tests.kit import MACHINES


@pytest.fixture
def khib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """`khib --plain` for a machine, with lines to type; gives the exit code."""

    def run(name: str, *answers: str) -> int:
        left = list(answers)
        asked: list[str] = []

        def answer(question: str) -> str:
            asked.append(question)
            print(question)
            if not left:
                raise EOFError
            return left.pop(0)

        monkeypatch.setattr("builtins.input", answer)
        monkeypatch.setattr("khib_tui.commands.wizard.has_terminal", lambda: True)
        return cli.main(["--plain", "--facts", str(MACHINES / f"{name}.json"), "--settings", str(tmp_path / "khib.toml")])

    return run


def test_places_come_with_numbers_and_reasons_and_the_steps_before_anything(
    khib: object, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert callable(khib)
    assert khib("qemu-bios-1g", "1", "2", "2") == Exit.USAGE, "with facts of another machine nothing is applied"
    told = capsys.readouterr()
    assert "- /dev/vda1, 4.0 GiB, khib-system, ext4 root: no: /dev/vda1 is mounted at /" in told.out
    assert "1) /dev/vdb1, 2.0 GiB, khib-target: fit" in told.out
    assert "keep kernel 6.1.192-khib" in told.out and "[HIB-E-FACTS-READ-ONLY]" in told.err
    assert list(tmp_path.iterdir()) == []


def test_what_forbids_hibernation_is_told_before_any_question(khib: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert callable(khib)
    assert khib("workstation-fedora-locked") == Exit.REFUSED
    told = capsys.readouterr()
    assert "[STOP]" in told.out and "The image goes to" not in told.out


def test_nobody_who_can_type_changes_nothing(khib: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert callable(khib)
    assert khib("qemu-bios-1g") == Exit.CANCELLED
    assert "--answers FILE" in capsys.readouterr().err


@pytest.mark.parametrize(("typed", "wanted"), [(["2"], "b"), ([""], "a"), (["0", "x", "9", "2"], "b"), (["\u0662", "1"], "a")])
def test_a_number_is_asked_for_until_it_is_one(monkeypatch: pytest.MonkeyPatch, typed: list[str], wanted: str) -> None:
    monkeypatch.setattr("builtins.input", lambda _: typed.pop(0))
    assert lines.one_of("Which", ["a", "b"], "a") == wanted
    assert typed == []
