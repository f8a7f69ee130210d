"""Shared by all tests."""

from __future__ import annotations

import ctypes
import os
import shutil
from pathlib import Path

import pytest

from khib_tui.errors import Refused
from khib_tui.lab.scratch import held_folder, refuse_little_room
from khib_tui.linux.secrecy import keep_secrets
from khib_tui.model.units import GIB, MIB
from khib_tui.seal import crypto
from khib_tui.target.catalog import Found
from tests.kit import saved
from tests.kit.exported import Hibernated, export, hibernate
from tests.kit.sealed import PASSPHRASE, sealed_image

# measured: 200 MiB; 3.3 GiB, with the tree of a kernel that is built meanwhile
ROOM = 256 * MIB
LAB_ROOM = 4 * GIB
_PR_SET_DUMPABLE = 4
TOP = "PYTEST_DEBUG_TEMPROOT"  # where pytest makes its folders
# held while this runs; what a failed or killed run leaves, the next one removes
OWN = None if TOP in os.environ else held_folder("tests-")[0]
os.environ.setdefault(TOP, str(OWN))
os.environ["LANGUAGE"] = "en"  # whatever the tester speaks


def pytest_unconfigure() -> None:
    """Remove the folder of this run, unless pytest has kept what a failed test wrote."""
    if OWN and not any(path.is_dir() for path in OWN.glob("pytest-of-*/pytest-[0-9]*")):
        shutil.rmtree(OWN)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Say how much room the chosen tests need, and do not begin without it."""
    lab = any(item.get_closest_marker("lab") for item in session.items)
    place = session.config.option.basetemp or os.environ[TOP]
    try:
        text = refuse_little_room("the tests", LAB_ROOM if lab else ROOM, Path(place))
    except Refused as refused:
        pytest.exit(f"{refused.message}\n{refused.hint} [{refused.ident}]", refused.exit_code)
    session.config.get_terminal_writer().line(text)


def pytest_runtest_teardown() -> None:
    """Take back what a test did to the process that runs all of them, lest others cannot look into it."""
    if keep_secrets.cache_info().currsize:
        keep_secrets.cache_clear()
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)


@pytest.fixture
def quick_seals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make keyslots that cost nothing."""
    monkeypatch.setattr(crypto, "MEMORY", 64)
    monkeypatch.setattr(crypto, "ITERATIONS", 1)


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """A physical memory."""
    path = tmp_path / "mem"
    path.write_bytes(saved.content())
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """An empty place for an image."""
    return saved.empty(tmp_path / "target", 40 * MIB)


@pytest.fixture(scope="session")
def slept(tmp_path_factory: pytest.TempPathFactory) -> Hibernated:
    """A machine that was hibernated, and its image exported both ways, as `elf` and `kdump` beside the image."""
    return export(hibernate(tmp_path_factory.mktemp("export")))


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """A file with the passphrase of the seals of tests."""
    path = tmp_path / "key"
    path.write_text(PASSPHRASE + "\n")
    return path


@pytest.fixture
def image(quick_seals: None, tmp_path: Path) -> tuple[Found, Path]:
    """A sealed image in a file."""
    return sealed_image(tmp_path)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests marked `long` out, unless -m speaks of them."""
    if "long" in config.option.markexpr:
        return
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("long")])
    items[:] = [item for item in items if not item.get_closest_marker("long")]
