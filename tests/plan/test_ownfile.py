"""A file of A's own as the image's place: what is planned, what C and the guards are told, what is refused before the jump."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from khib_tui.decide.choice import Choice
from khib_tui.errors import Refused
from khib_tui.guard.files import placed_at, settings
from khib_tui.handover.handover import Mode
from khib_tui.image.ranges import MAP_SIZE, first_sector
from khib_tui.model.identity import TargetRef, key_of
from khib_tui.model.origin import Used
from khib_tui.model.units import MIB
from khib_tui.plan import build, hibernate, ownfile, remove
from khib_tui.plan.boot import WriteBootEntry, image_word
from khib_tui.plan.ownfile import MakeFile, RemoveFile, TakeFile
from khib_tui.plan.step import Context
from khib_tui.plan.take import TakeTarget
from khib_tui.prints.used import without
from khib_tui.target import ownfile as files
from tests.kit.machines import BIOS

MakeChoice = Callable[..., Choice]
ROOT_PART = next(device for device in BIOS.devices if "/" in device.mounts)
SPANS = ((8 * MIB, 500 * MIB), (600 * MIB, 700 * MIB))
PLACE = TargetRef(key_of(ROOT_PART), spans=SPANS)


@pytest.fixture
def choice(choice_of: MakeChoice) -> Choice:
    return choice_of(target="file:/hibernate.khib")


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[TargetRef]:
    """Where the file lies, the last of the list; what was asked for is not looked at."""
    places = [PLACE]
    monkeypatch.setattr(files, "located", lambda *_, **__: places[-1])
    monkeypatch.setattr(ownfile, "GUARD", Path("/nonexistent"))
    return places


def test_set_up_makes_it_and_a_journey_only_finds_it(choice: Choice, tmp_path: Path) -> None:
    steps = build.setup(choice, tmp_path / "khib.toml")
    assert steps[0] == MakeFile(choice) and steps[1] == TakeFile(choice)
    journey = build.journey(choice, Mode.SAVE)
    assert journey[0] == TakeFile(choice, again=True)
    assert not any(isinstance(step, (MakeFile, TakeTarget)) for step in journey)
    assert "/hibernate.khib of " in steps[0].describe() and ROOT_PART.path in steps[0].describe()


def test_it_is_made_once(choice: Choice, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    monkeypatch.setattr(files, "there", lambda path, need: bool(made))
    monkeypatch.setattr(files, "refuse_waiting", lambda *_: None)
    monkeypatch.setattr(files, "make", lambda path, need: made.append((path, need)))
    for changed in (True, False):
        context.changed = False
        MakeFile(choice).apply(context)
        assert context.changed is changed
    assert made[0][0] == Path("/hibernate.khib") and made[0][1] > choice.region.saved.total


@pytest.mark.usefixtures("found")
def test_c_is_told_the_disk_and_the_first_byte(choice: Choice, context: Context) -> None:
    TakeFile(choice).apply(context)
    assert context.place == PLACE
    word = image_word(choice, context.place)
    assert word == f"{ROOT_PART.disk_id}-{ROOT_PART.start}+{8 * MIB}"
    assert f"khib.image={word}" in WriteBootEntry(choice).entry(context.place).options
    assert "khib.image" not in WriteBootEntry(choice).entry().options
    assert WriteBootEntry(choice).describe().endswith("and where the image's file lies")


def test_a_file_that_is_gone_is_refused_with_the_next_step(
    choice: Choice, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(files, "located", gone)
    with pytest.raises(Refused, match="not there") as caught:
        TakeFile(choice).apply(context)
    assert caught.value.hint and "khib setup" in caught.value.hint


def test_where_the_guard_would_look_elsewhere_set_up_comes_first(
    choice: Choice, context: Context, found: list[TargetRef], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf = tmp_path / "guard.conf"
    conf.write_text(settings("1234", "ab", 10, first_sector(SPANS)))
    monkeypatch.setattr(ownfile, "GUARD", conf)
    assert placed_at(conf) == (8 * MIB + MAP_SIZE) // 512
    TakeFile(choice, again=True).apply(context)
    found.append(TargetRef(PLACE.key, spans=(SPANS[1],)))
    TakeFile(choice).apply(context)  # of a set-up, which writes the guard anew
    with pytest.raises(Refused) as caught:
        TakeFile(choice, again=True).apply(context)
    assert caught.value.ident == "HIB-E-TARGET-MOVED"


def test_a_file_that_moves_between_look_and_jump_stops_the_jump(
    choice: Choice, context: Context, found: list[TargetRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hibernate, "reboot", lambda *_: pytest.fail("jumped"))
    TakeFile(choice).apply(context)
    hibernate.refuse_moved(context)
    found.append(TargetRef(PLACE.key, spans=(SPANS[1],)))
    with pytest.raises(Refused) as caught:
        hibernate.Jump(choice, Mode.SAVE).apply(context)
    assert caught.value.ident == "HIB-E-TARGET-MOVED"


def test_the_prints_leave_out_what_the_image_is_written_to() -> None:
    other = Used(msg_key(), "vdb1", "/srv", ((0, 4096),))
    ours = Used(PLACE.key, "vda1", "/", ((0, 9 * MIB), (650 * MIB, 651 * MIB), (800 * MIB, 801 * MIB)))
    assert without((ours, other), None) == (ours, other) == without((ours, other), TargetRef(PLACE.key))
    left, same = without((ours, other), PLACE)
    assert left.spots == ((0, 8 * MIB), (800 * MIB, 801 * MIB)) and same == other


def msg_key() -> Any:
    return key_of(next(device for device in BIOS.devices if device.name == "vdb1"))


def test_removal_takes_the_file_away(choice: Choice, tmp_path: Path, context: Context) -> None:
    assert remove.own_file(choice.settings) == []
    path = tmp_path / "hibernate.khib"
    files.make(path, 6 * MIB)
    chosen = msgspec.structs.replace(choice.settings, target=f"file:{path}")
    (step,) = remove.own_file(chosen)
    assert step == RemoveFile(path) and str(path) in step.describe()
    step.apply(context)
    assert context.changed and not path.exists() and remove.own_file(chosen) == []
