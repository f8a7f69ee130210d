"""What B runs, and `khib back` in its shell."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.cli import main
from khib_tui.commands import save as save_command
from khib_tui.errors import Exit
from khib_tui.handover import handover as handovers
from khib_tui.handover.handover import Mode
from khib_tui.handover.report import Outcome
from khib_tui.saver import fate
from khib_tui.saver.fate import Byte, Fate
from tests.kit.tiny import BackInA, PowerOff, Tiny


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tiny:
    made = Tiny(tmp_path)
    made.patch(monkeypatch)
    monkeypatch.setattr(fate, "PLACE", tmp_path / "run" / "fate")
    monkeypatch.setattr(handovers, "receive", lambda *_: made.handover(Mode.SAVE))
    return made


def test_from_the_shell_of_the_saver_one_goes_back(tiny: Tiny) -> None:
    Byte(fate.PLACE)
    with pytest.raises(BackInA):
        main(["back"])


@pytest.mark.parametrize("now", [Fate.UNSETTLED, Fate.SLEEPS, Fate.OVERWRITTEN])
def test_nobody_goes_back_to_a_system_that_must_not_go_on(tiny: Tiny, now: Fate, capsys: pytest.CaptureFixture[str]) -> None:
    Byte(fate.PLACE).set(now)
    assert main(["back"]) == Exit.REFUSED and "must not go on" in capsys.readouterr().err


def test_elsewhere_there_is_nowhere_to_go_back_to(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["back"]) == Exit.REFUSED and "no running system" in capsys.readouterr().err


@pytest.mark.parametrize(("mode", "left"), [(Mode.SAVE, True), (Mode.REHEARSE_SAVE, False)])
def test_the_saver_itself_leaves_the_machine_once_the_system_sleeps(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, mode: Mode, left: bool
) -> None:
    monkeypatch.setattr(handovers, "receive", lambda *_: tiny.handover(mode, plain=True))
    byte, off = Byte(), list[int]()

    def power_off() -> None:
        try:
            save_command.save(byte, True)
        except PowerOff:
            off.append(1)

    power_off()
    assert bool(off) is left and byte.told is not left
    assert byte.now is (Fate.SLEEPS if left else Fate.RUNS_ON)
    report = tiny.report()
    assert (report is None) is left and (report is None or report.outcome is Outcome.REHEARSED)
