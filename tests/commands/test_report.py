"""What a bug report needs, without what tells this machine from all others."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from khib_tui import cli
from khib_tui.commands.report import REMOVED, private, without
from khib_tui.events.types import Message
from khib_tui.facts import kmsg
from khib_tui.model.journey import End, Journey, Rung
from khib_tui.plan import log
from khib_tui.plan.journal import Journal
from tests.kit import MACHINES
from tests.kit.machines import LAPTOP

FACTS = MACHINES / "amd-laptop-ubuntu.json"


def test_a_report_has_versions_findings_and_facts_and_no_serial_or_label(tmp_path: Path) -> None:
    made = tmp_path / "report.json"
    settings = str(tmp_path / "khib.toml")
    assert cli.main(["--facts", str(FACTS), "--settings", settings, "report", str(made)]) == 0
    text = made.read_text()
    data = json.loads(text)
    assert data["versions"][0].startswith("khib ") and data["findings"] and data["machine"]["release"] == LAPTOP.release
    serials = {device.serial for device in LAPTOP.devices if device.serial}
    assert serials and not [serial for serial in serials if serial in text] and REMOVED in text


def test_a_report_has_the_last_logs_and_journeys_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serial = next(device.serial for device in LAPTOP.devices if device.serial)
    monkeypatch.setattr("khib_tui.facts.probe.probe", lambda: LAPTOP)
    journal = Journal.beside(tmp_path / "khib.toml")
    journal.put(Journey(Rung.JUMP, 1.0, end=End.FAILED, text=f"the disk {serial} is gone"))
    with log.kept(journal.folder, "jump") as written:
        for number in range(300):
            written(Message(f"line {number} of {serial}"))
    made = tmp_path / "report.json"
    assert cli.main(["--settings", str(tmp_path / "khib.toml"), "report", str(made)]) == 0
    data = json.loads(made.read_text())
    assert serial not in made.read_text() and data["journeys"][0]["text"] == f"the disk {REMOVED} is gone"
    (lines,) = data["logs"].values()
    assert len(lines) == 200 and lines[-1].endswith(f"line 299 of {REMOVED}")


def test_what_is_private_is_taken_out_of_longer_texts_too() -> None:
    facts = {"devices": [{"uuid": "1234-ABCD"}], "cmdline": "root=UUID=1234-ABCD quiet", "memory": 7}
    wanted = {"devices": [{"uuid": REMOVED}], "cmdline": f"root=UUID={REMOVED} quiet", "memory": 7}
    assert without(facts, private(facts)) == wanted


def test_the_kernel_log_gives_what_is_about_sleeping_and_cannot_steer_a_terminal(tmp_path: Path) -> None:
    log = tmp_path / "kmsg"
    log.write_text("6,1,0,-;kexec: jumped\x1b[2J\n6,2,1,-;usb 1-1: new device\n6,3,2,-;PM: hibernation entry\n")
    assert kmsg.lines(log) == ["kexec: jumped\\x1b[2J", "PM: hibernation entry"]
    assert kmsg.lines(tmp_path / "missing") == []


def test_the_version_names_all_that_takes_part(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(word in text for word in ("khib 0", f"Linux {os.uname().release}", "Python 3", "urwid 5"))
