"""`khib setup --remove`: listed, then done, and done again."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from khib_tui import cli
from khib_tui.commands import setup
from khib_tui.errors import Refused
from khib_tui.events.types import Failure, Result, Step, decode
from khib_tui.image.header import State
from khib_tui.model import settings
from khib_tui.model.settings import Settings
from khib_tui.target import catalog
from tests.kit.machines import BIOS

ENTRY = "title x\nlinux /khib/vmlinuz\noptions y\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that is set up below a folder."""
    monkeypatch.setattr("khib_tui.facts.probe.probe", lambda: BIOS)
    kept = Settings(boot_dir=str(tmp_path / "boot"), target="/dev/vdb1")
    settings.save(kept, tmp_path / "khib.toml")
    for path, text in ((tmp_path / "boot/loader/entries/khib-restore.conf", ENTRY), (kept.initramfs, "x")):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    return tmp_path


def khib(place: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[Any]]:
    code = cli.main(["--json", "--settings", str(place / "khib.toml"), "setup", "--remove", *words])
    shown = capsys.readouterr()
    return code, [decode(line) for line in (shown.out + shown.err).splitlines()]


def test_a_dry_run_lists_it_and_changes_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(place.rglob("*"))
    code, events = khib(place, capsys, "--dry-run")
    listed = [event.text for event in events if isinstance(event, Step)]
    assert code == 0 and len(listed) == 3 and "boot entry" in listed[0] and "initramfs.img" in listed[1]
    assert sorted(place.rglob("*")) == before


def test_it_is_done_and_there_is_nothing_to_do_again(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, events = khib(place, capsys)
    assert code == 0 and [path.name for path in place.iterdir()] == ["boot"] and not list((place / "boot").iterdir())
    assert [event.text for event in events if isinstance(event, Result)] == ["nothing of the set-up is left"]
    code, events = khib(place, capsys)
    assert code == 0 and [event.text for event in events] == ["there was nothing to remove"]


@pytest.mark.parametrize(("state", "where", "refused"), [
    (State.COMPLETE, "/dev/vdb1", True), (State.DONE, "/dev/vdb1", False), (State.COMPLETE, "/dev/sdz1", False),
])  # fmt: skip
def test_an_image_that_waits_is_not_left_without_a_restorer(
    monkeypatch: pytest.MonkeyPatch, place: Path, capsys: pytest.CaptureFixture[str], state: State, where: str, refused: bool
) -> None:
    found = SimpleNamespace(where=where, header=SimpleNamespace(state=state))
    monkeypatch.setattr(catalog, "images", lambda *_: [found])
    code, events = khib(place, capsys)
    assert (place / "khib.toml").exists() is refused and code == (Refused.exit_code if refused else 0)
    assert [event.ident for event in events if isinstance(event, Failure)] == ["HIB-E-REMOVE-IMAGE"] * refused


def test_a_target_that_is_gone_forbids_nothing() -> None:
    for target in ("", "/dev/nothing", "nonsense"):
        setup.refuse_image(replace(BIOS, devices=()), Settings(target=target))


@pytest.mark.parametrize("state", [State.COMPLETE, State.DONE])
def test_a_file_of_this_system_goes_only_without_a_waiting_image(monkeypatch: pytest.MonkeyPatch, state: State) -> None:
    target = SimpleNamespace(spans=((0, 8 << 20),))
    found = SimpleNamespace(where="/dev/vda1+4096", header=SimpleNamespace(state=state), target=target)
    monkeypatch.setattr(catalog, "images", lambda *_: [found])
    kept = Settings(target="file:/hibernate.khib")
    if state is State.DONE:
        setup.refuse_image(BIOS, kept)
        return
    with pytest.raises(Refused) as caught:
        setup.refuse_image(BIOS, kept)
    assert caught.value.ident == "HIB-E-REMOVE-IMAGE"
