"""The next start is C's right before the jump, and a usual one again whatever happens then."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from khib_tui.bootloader import grubenv
from khib_tui.decide.choice import Choice
from khib_tui.decide.nextboot import OneShot
from khib_tui.errors import CommandFailed, KhibError
from khib_tui.events.types import Event, Level, Message
from khib_tui.handover.handover import Mode
from khib_tui.linux import efivars
from khib_tui.model.boot import FIRMWARE_GUID, LOADER_GUID, Folder, Loader, LoaderKind
from khib_tui.plan import build
from khib_tui.plan.execute import execute
from khib_tui.plan.hibernate import Jump
from khib_tui.plan.nextboot import NextBoot
from khib_tui.plan.step import Action, Context
from tests.kit.saved import nothing

ENTRY = {OneShot.LOADER: "khib-restore.conf\0".encode("utf-16-le"), OneShot.FIRMWARE: b"\x48\x4b"}
VARIABLES = pytest.mark.parametrize("way", [OneShot.LOADER, OneShot.FIRMWARE])
BLOCK = (grubenv.HEADER + b"saved_entry=debian\n").ljust(1024, b"#")


@dataclass(frozen=True)
class Then:
    """A step that does what it is told."""

    what: Callable[[], object]

    def describe(self) -> str:
        return "then"

    def apply(self, context: Context) -> None:
        self.what()


def step(tmp_path: Path, way: OneShot, kind: LoaderKind = LoaderKind.SYSTEMD_BOOT) -> NextBoot:
    loader = Loader(kind, Path("/boot/loader/entries/khib-restore.conf"), Folder("/boot"))
    return NextBoot(way, loader, tmp_path / "grubenv", tmp_path)


def variable(tmp_path: Path, way: OneShot) -> Path:
    return efivars.place(str(way), LOADER_GUID if way is OneShot.LOADER else FIRMWARE_GUID, tmp_path)


def fail() -> None:
    raise KhibError("the kernel refuses")


@VARIABLES
def test_it_is_set_before_the_jump_and_unset_when_that_fails(tmp_path: Path, way: OneShot) -> None:
    place, seen = variable(tmp_path, way), []
    steps: list[Action] = [step(tmp_path, way), Then(lambda: seen.append(efivars.read(place))), Then(fail)]
    with pytest.raises(KhibError, match="refuses"):
        execute(steps, Context(nothing), nothing)
    assert seen == [ENTRY[way]] and not place.exists()


@VARIABLES
@pytest.mark.parametrize(("meanwhile", "left"), [(None, b"o"), (b"", None), (b"x", b"x")])
def test_what_was_there_comes_back_unless_it_was_obeyed_or_changed(
    tmp_path: Path, way: OneShot, meanwhile: bytes | None, left: bytes | None
) -> None:
    place, context, size = variable(tmp_path, way), Context(nothing), len(ENTRY[way])
    efivars.write(place, b"o" * size)
    step(tmp_path, way).apply(context)
    if meanwhile:
        efivars.write(place, meanwhile * size)
    elif meanwhile is not None:
        place.unlink()
    context.disarm()
    context.undo()
    assert efivars.read(place) == (left and left * size)


@VARIABLES
def test_a_firmware_that_refuses_stops_the_hibernation(tmp_path: Path, way: OneShot, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(CommandFailed, match="No space") as caught:
        execute([step(tmp_path, way)], Context(nothing), nothing)
    assert caught.value.ident == "HIB-E-NEXT-BOOT" and not list(tmp_path.iterdir())


def test_a_firmware_that_forgets_stops_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efivars, "write", lambda *_: None)
    with pytest.raises(CommandFailed, match="does not keep BootNext"):
        step(tmp_path, OneShot.FIRMWARE).apply(Context(nothing))


def test_if_it_cannot_be_taken_back_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Event] = []
    context = Context(told.append)
    step(tmp_path, OneShot.FIRMWARE).apply(context)

    def broken(_: Path) -> bool:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(efivars, "remove", broken)
    context.undo()
    assert [event.level for event in told if isinstance(event, Message)] == [Level.WARNING]


@pytest.mark.parametrize("old", [None, "memtest"])
@pytest.mark.parametrize("obeyed", [False, True])
def test_grub_s_file_is_as_before(tmp_path: Path, old: str | None, obeyed: bool) -> None:
    path, context = tmp_path / "grubenv", Context(nothing)
    before = grubenv.changed(BLOCK, old)
    path.write_bytes(before)
    path.chmod(0o640)
    inode = path.stat().st_ino
    step(tmp_path, OneShot.GRUBENV, LoaderKind.GRUB_BLS).apply(context)
    assert grubenv.value(path.read_bytes()) == "khib-restore" and path.stat().st_ino == inode
    if obeyed:
        path.write_bytes(grubenv.changed(path.read_bytes(), ""))
    context.disarm()
    assert path.read_bytes() == before and stat.S_IMODE(path.stat().st_mode) == 0o640


def test_another_choice_for_grub_stays(tmp_path: Path) -> None:
    path, context = tmp_path / "grubenv", Context(nothing)
    path.write_bytes(BLOCK)
    step(tmp_path, OneShot.GRUBENV).apply(context)
    path.write_bytes(grubenv.changed(BLOCK, "windows"))
    context.disarm()
    assert grubenv.value(path.read_bytes()) == "windows"


@pytest.mark.parametrize("content", [b"", b"x" * 1024])
def test_a_file_that_is_no_block_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "grubenv"
    path.write_bytes(content)
    with pytest.raises(CommandFailed):
        step(tmp_path, OneShot.GRUBENV).apply(Context(nothing))
    assert path.read_bytes() == content


def test_where_grub_reads_the_image_nothing_is_set(tmp_path: Path) -> None:
    context = Context(nothing)
    found = step(tmp_path, OneShot.IMAGE, LoaderKind.GRUB)
    found.apply(context)
    assert not list(tmp_path.iterdir()) and "nothing to set" in found.describe()


def test_only_a_hibernation_has_the_step_and_it_is_the_last_before_the_jump(
    choice_of: Callable[..., Choice], monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = choice_of()
    assert not [item for item in build.journey(choice, Mode.SAVE) if isinstance(item, NextBoot)]
    monkeypatch.setattr("khib_tui.decide.nextboot.choose", lambda *_: OneShot.FIRMWARE)
    for mode in Mode:
        found = build.journey(choice, mode)
        at = [number for number, item in enumerate(found) if isinstance(item, NextBoot)]
        assert at == ([] if mode is not Mode.SAVE else [next(i for i, s in enumerate(found) if isinstance(s, Jump)) - 1])
