"""Exports of an image as files: opened by the tools they are for, whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from khib_tui import runner
from khib_tui.cli import main
from khib_tui.errors import CommandFailed, Exit, ImageError
from khib_tui.events.progress import Stop
from khib_tui.image.export import write
from khib_tui.image.export.contents import of_payload
from khib_tui.image.export.snapshot import snapshot
from khib_tui.image.store import Store
from khib_tui.model.units import PAGE
from tests.kit.exported import DIRECT_MAP, OWN, Hibernated, expected, payload
from tests.kit.saved import nothing


@pytest.mark.parametrize("kind", ["elf", "kdump"])
def test_drgn_reads_every_page_and_finds_the_others_missing(slept: Hibernated, kind: str) -> None:
    drgn = pytest.importorskip("drgn")
    program = drgn.Program()
    program.set_core_dump(str(slept.image.with_name(kind)))
    assert program.flags & drgn.ProgramFlags.IS_LINUX_KERNEL
    for address, page in expected(slept).items():
        assert program.read(address, PAGE, physical=True) == page, hex(address)
        assert program.read(DIRECT_MAP + address, 8) == page[:8]
    for address in [OWN, *(at for start, end in slept.sources for at in range(start, end, PAGE))]:
        with pytest.raises(drgn.FaultError):
            program.read(address, PAGE, physical=True)


@pytest.mark.skipif(not shutil.which("makedumpfile"), reason="makedumpfile is not installed")
@pytest.mark.parametrize("kind", ["elf", "kdump"])
def test_makedumpfile_reads_every_page(slept: Hibernated, kind: str, tmp_path: Path) -> None:
    drgn = pytest.importorskip("drgn")
    runner.run(["makedumpfile", "-d", "1", slept.image.with_name(kind), tmp_path / "out"])
    program = drgn.Program()
    program.set_core_dump(str(tmp_path / "out"))
    for address, page in expected(slept).items():
        assert program.read(address, PAGE, physical=True) == page, hex(address)


def test_files_are_not_overwritten_unless_forced(slept: Hibernated, tmp_path: Path) -> None:
    for name in ("there", "there.part"):
        (tmp_path / name).write_text("mine")
        words = ["image", "export", "--elf", str(tmp_path / "there"), str(slept.image)]
        assert main(words) == Exit.USAGE
        assert (tmp_path / name).read_text() == "mine"
        assert main([*words, "--force"]) == Exit.OK
        assert (tmp_path / "there").read_bytes() == slept.image.with_name("elf").read_bytes()
        assert [path.name for path in tmp_path.iterdir()] == ["there"]
        (tmp_path / "there").unlink()
    assert main(["image", "export", str(slept.image)]) == Exit.USAGE
    assert main(["image", "export", "--elf", str(tmp_path / "x"), "--kdump", str(tmp_path / "x"), str(slept.image)]) == 2


def test_only_the_owner_can_read_an_export(slept: Hibernated) -> None:
    assert {slept.image.with_name(kind).stat().st_mode & 0o777 for kind in ("elf", "kdump")} == {0o600}


@pytest.mark.parametrize("kind", ["elf", "kdump"])
def test_a_damaged_image_leaves_no_half_file(slept: Hibernated, tmp_path: Path, kind: str) -> None:
    data = bytearray(slept.image.read_bytes())
    with Store(slept.image) as store:
        frame = payload(store).frames[-2]
    data[frame.offset + frame.stored // 2] ^= 1
    (tmp_path / "image").write_bytes(data)
    with Store(tmp_path / "image") as store, pytest.raises(ImageError, match="damaged"):
        write.export(payload(store), {kind: tmp_path / "out"}, nothing, Stop())
    assert [path.name for path in tmp_path.iterdir()] == ["image"]


def test_too_little_space_is_told_before(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed) as caught:
        write.refuse_little_space(tmp_path / "out", 1 << 60)
    assert caught.value.ident == "HIB-E-SPACE"


@pytest.mark.parametrize("kind", ["elf", "kdump"])
def test_the_space_that_is_asked_for_is_about_what_is_taken(slept: Hibernated, kind: str) -> None:
    with Store(slept.image) as store:
        needed = write.FORMATS[kind](snapshot(of_payload(payload(store)), payload(store).manifest)).needed
    assert 0.8 * slept.taken[kind] < needed < 1.3 * slept.taken[kind]
