"""Room for the lab and the tests: where it is, that it is given back, and that too little is told before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from khib_tui.errors import Refused
from khib_tui.events.types import Event, Message
from khib_tui.files import cache_dir
from khib_tui.lab import setup
from khib_tui.lab.hardware import Boot, Hardware
from khib_tui.lab.scratch import refuse_little_room, scratch, scratch_dir
from khib_tui.lab.vm import start
from khib_tui.model.units import GIB
from tests.kit import ROOT
from tests.kit.faketree import bzimage
from tests.kit.lab_kit import options


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHIB_CACHE", str(tmp_path / "cache"))


def test_a_scratch_folder_lies_below_the_cache_and_goes_with_all_that_is_in_it() -> None:
    with scratch() as one, scratch() as two:
        (one / "disk.raw").touch()
        assert one.parent == two.parent == cache_dir() / "scratch" and one != two
        assert one.exists()
    assert list(scratch_dir().iterdir()) == []


def test_folders_of_killed_programs_go_and_those_in_use_stay() -> None:
    left = scratch_dir() / "lab-left"
    left.mkdir()
    (left / "disk.raw").touch()
    with scratch() as used:
        assert not left.exists()
        code = "from khib_tui.lab.scratch import scratch\nwith scratch(): pass"
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
        assert used.exists()


def test_too_little_room_is_refused_with_what_is_free_and_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"the lab may need 1.0 EiB below .*; .* are free") as caught:
        refuse_little_room("the lab", 1 << 60, tmp_path / "not/yet/there")
    assert caught.value.ident == "HIB-E-LAB-ROOM" and "KHIB_CACHE" in str(caught.value.hint)
    assert refuse_little_room("the lab", 0, tmp_path).startswith("the lab may need 0 bytes")


@pytest.mark.parametrize(
    ("kernel", "root", "built"),
    [(True, True, None), (True, False, setup.ROOT_ROOM), (False, True, setup.KERNEL_ROOM), (False, False, setup.KERNEL_ROOM)],
)
def test_the_lab_asks_for_room_for_what_is_not_built_yet(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kernel: bool, root: bool, built: int | None
) -> None:
    asked: list[tuple[int, Path]] = []
    told: list[Event] = []
    monkeypatch.setattr(setup, "is_kernel_built", lambda source: kernel)
    monkeypatch.setattr(setup, "is_root_built", lambda: root)

    def ask(what: str, needed: int, place: Path) -> str:
        asked.append((needed, place))
        return what

    monkeypatch.setattr(setup, "refuse_little_room", ask)
    setup.say_room(options(memory=4096, keep=tmp_path), told.append)
    disks = (4 * GIB + setup.DISKS_ROOM, tmp_path)
    assert asked == ([disks] if built is None else [(built, cache_dir()), disks])
    assert len(told) == len(asked) and all(isinstance(event, Message) for event in told)


def test_what_tests_write_lies_below_the_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    top = Path(os.environ["PYTEST_DEBUG_TEMPROOT"]).resolve()
    given = tmp_path_factory._given_basetemp
    assert tmp_path_factory.getbasetemp().is_relative_to(given or top)


@pytest.mark.parametrize(("test", "kept"), [("assert True", 0), ("assert False", 1)])
def test_a_run_of_tests_leaves_only_what_a_failed_one_wrote_and_only_until_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, test: str, kept: int
) -> None:
    monkeypatch.delenv("PYTEST_DEBUG_TEMPROOT")
    file = tmp_path / "test_it.py"
    file.write_text(f"def test_it(tmp_path):\n    (tmp_path / 'file').touch()\n    {test}\n")
    options = ["-q", "-ptests.conftest", "-pno:cacheprovider", f"-c{ROOT}/pyproject.toml", f"--rootdir={tmp_path}"]
    for _ in range(2):
        words = [sys.executable, "-m", "pytest", *options, str(file)]
        assert subprocess.run(words, cwd=ROOT, capture_output=True, check=False).returncode == kept
        assert len(list(scratch_dir().iterdir())) == len(list(scratch_dir().rglob("file"))) == kept


def test_tests_do_not_begin_without_room(tmp_path: Path) -> None:
    code = (
        "import sys, pytest, tests.conftest as ours\n"
        f"ours.ROOM = {1 << 60}\n"
        "sys.exit(pytest.main(['-q', 'tests/model/test_ranges.py', '-p', 'no:cacheprovider']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 4 and "HIB-E-LAB-ROOM" in done.stdout + done.stderr, done
    assert "passed" not in done.stdout


def test_the_machine_starts_in_a_folder_whose_path_is_longer_than_that_of_a_socket_may_be(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    kernel = folder / "kernel"
    kernel.write_bytes(bzimage())
    machine = start(Hardware(64, 1, "bios", (), folder), Boot(kernel, ""), folder / "log")
    machine.kill()
    assert (folder / "log").exists() and machine.process.returncode is not None
