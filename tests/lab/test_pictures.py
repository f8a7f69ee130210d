"""Pictures of the emulated screen: one of each stage, in its midst; the real ones need QEMU."""

from __future__ import annotations

from pathlib import Path

import pytest

from khib_tui.commands import arguments, labarguments
from khib_tui.events.types import Event, Progress, StageName
from khib_tui.lab import pictures


def test_one_picture_of_each_stage_in_its_midst(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    seen: list[Event] = []
    monkeypatch.setattr(pictures, "dump", lambda directory, path: taken.append(path.name))
    monkeypatch.setattr(pictures, "_DRAWN", 0)
    paths = {StageName.SAVE: tmp_path / "b.png", StageName.RESTORE: tmp_path / "c.png"}
    sink = pictures.watched(seen.append, tmp_path, paths)
    for stage in (StageName.INITRAMFS, StageName.SAVE, StageName.RESTORE):
        for done in (0, 10, 50, 90):
            sink(Progress(stage, done, 100, 1.0))
            assert not taken or done > 10 or taken[-1] == "b.png"
    assert taken == ["b.png", "c.png"] and len(seen) == 12


def test_each_display_has_a_driver() -> None:
    assert list(pictures.DISPLAYS) == labarguments.DISPLAYS
    given = arguments.parser().parse_args(["lab", "pictures"])
    assert given.saver and given.firmwares == ["bios", "uefi"]


@pytest.mark.lab
@pytest.mark.long
def test_the_screen_of_b_and_c_can_be_seen(tmp_path: Path) -> None:
    given = arguments.parser().parse_args(
        ["lab", "pictures", "--displays", "std", "--firmwares", "bios", "--into", str(tmp_path)]
    )
    assert pictures.pictures(given, print) == 0
    assert {path.name for path in tmp_path.glob("*.png")} == {"b-std-bios.png", "c-std-bios.png"}
